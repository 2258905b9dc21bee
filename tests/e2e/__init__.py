"""Real processes. A package, so that its standing sets end with it and do not idle beside the tests behind it."""
