"""Libraries and what lies in them: watch, settle, scan, ingest, identity.

Nothing in this package ever writes below a library's root.
"""
