"""Which replica a request goes to: its owner, or the one of two that has less to do. A router of Ray Serve."""

import random
from collections.abc import Sequence

from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica


class ByOwner(RequestRouter):  # type: ignore[misc,unused-ignore]  # Any where Ray is not installed
    """Reads `owner` of the calls; one whose owner is gone goes to any replica, which says that it has no such thing."""

    async def choose_replicas(
        self, candidate_replicas: Sequence[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """Return the replicas to choose from, of which Ray takes the one with the fewest calls."""
        candidates = list(candidate_replicas)
        if pending_request is not None:
            pending_request.routing_context.should_backoff = True  # this is all there is to choose from
            owner = pending_request.kwargs.get("owner")
            owners = [one for one in candidates if one.replica_id.unique_id == owner]
            if owners:
                return [owners]
        return [random.sample(candidates, min(2, len(candidates)))]
