"""What needs no clock: bits, layouts, memory, dispatch, gradients, instructions."""
