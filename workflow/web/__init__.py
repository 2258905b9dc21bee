"""What HTTP asks of a flow: addresses, headers and bodies, written and read. Nothing here opens a connection."""
