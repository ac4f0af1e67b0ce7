"""What the simulated venue answers, field by field, held against recorded payloads of the real one."""
