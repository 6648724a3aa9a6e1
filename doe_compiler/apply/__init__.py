"""Carry out a plan, once: upload, draft, look again, submit, verify; drafts are free, submits cost."""
