"""HTTP server and kiosk page: one queue in front of one worker process for each open model."""
