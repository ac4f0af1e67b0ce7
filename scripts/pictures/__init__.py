"""The drawings of the documentation: what the engine did in a generated market, and what its models say."""
