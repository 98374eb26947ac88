"""Request bodies as the published schema has them: an unknown field or a wrong type is refused."""
