"""Content Credentials (C2PA): a key of this device, manifests signed with it, and what a file's own manifest says."""
