"""Policy, approvals, grants and redaction: what stands before every act."""
