"""The engine over HTTP: a thread of its own, which reads frozen snapshots and the journal, and asks for
commands the way every operator does. Nothing in here can hold up a decision."""
