"""The checks and hints of the labs, one module for each lab."""
