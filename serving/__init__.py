"""HTTP server and kiosk page: to come, nothing is here yet."""
