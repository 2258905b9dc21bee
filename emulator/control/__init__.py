"""The control API: what a test, the bench or the handset does with the emulator. JSON below /control."""
