"""From 'message saved' to 'the platform has it'."""
