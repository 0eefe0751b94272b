"""The endpoints under `/api/v1`, one blueprint per concept; each parses, calls, serialises."""
