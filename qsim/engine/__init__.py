"""Running a plan on an array: rolled, as a tape, unrolled; forward, and uncomputing backward."""
