"""What comes in and starts flows or goes on with them: dials, calls, messages, payments, requests and times."""
