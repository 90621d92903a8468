"""What people type to have a scene painted: sentences put together from their parts, English and Chinese."""
