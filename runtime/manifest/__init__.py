"""What a bundle says about itself: `manifest.json`, schema `edgevlo-bundle/1` or `/2`, read strictly and checked."""
