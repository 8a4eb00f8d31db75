"""Runbooks: one Markdown file is document and program. Read and checked here, and walked step by step by a
model that proposes the next step's call, so that gate, approvals, record and resuming are those of any run.
"""
