"""Doctor: looks at every part of the way from a user to a token, and names the broken one with its cure."""
