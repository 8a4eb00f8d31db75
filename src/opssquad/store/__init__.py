"""Durable state: threads, approvals, the ledger of acts, the audit chain, kept outputs."""
