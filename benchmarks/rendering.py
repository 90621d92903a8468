"""How many pictures of picturebook's world a core draws in a second: scene, grid of tiles and pixels.

python benchmarks/rendering.py [--runs 7] [--pictures 500]
"""

import argparse
import time
from random import Random

import record

from edgevlo.picturebook.world import atlas, scene, scene_to_codes


def main() -> None:
    """Draw scenes of three objects at 128x128 pixels, several times, and write the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--pictures", type=int, default=500)
    arguments = parser.parse_args()
    atlas.tiles()
    rates = []
    for run in range(arguments.runs):
        rng = Random(run)
        began = time.process_time()
        for _ in range(arguments.pictures):
            atlas.pixels(scene_to_codes.paint(scene.sample_scene(rng, 3)))
        rates.append(arguments.pictures / (time.process_time() - began))
    figures = {"pictures_per_core_second": record.spread(rates), "pictures": arguments.pictures}
    record.write("rendering", figures)
    print(figures)


if __name__ == "__main__":
    main()
