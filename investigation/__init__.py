"""The investigation of `return x * y.expand_as(x)`: what notebooks and tests share."""
