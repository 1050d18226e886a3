@type nul>>"%~1"
