"""The drawn world: scenes, the grids of tiles that show them, and the drawings the tiles come from."""
