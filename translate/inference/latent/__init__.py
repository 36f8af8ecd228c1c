"""The space of styles as a tool: walks, arithmetic, neighbours, directions, projection and edits."""
