"""The command line for people: njia node-types, validate, publish, execute, executions, sessions, dial and replay."""
