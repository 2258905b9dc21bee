"""A phone in the terminal: `python -m emulator.handset --code '*384*1#' --from +254711000001`."""
