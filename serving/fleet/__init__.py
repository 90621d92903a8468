"""The server as a fleet: many engines behind one door, as a Ray Serve application."""
