"""The chain of stages that a page goes through."""
