"""YAML -> gate -> verdict. Only ``load`` reads a file; the rest is pure."""
