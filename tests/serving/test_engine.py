"""The engine with real worker processes: killed, stuck, cancelled, idle, too many; always the right picture."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edgevlo.runtime.model import Model
from edgevlo.serving.engine.engine import Engine
from edgevlo.serving.engine.errors import ClosingError, QueueFullError
from edgevlo.serving.engine.job import Job
from edgevlo.serving.engine.messages import Done, Failed, Row, Task
from edgevlo.serving.engine.models import Keeping, Models
from edgevlo.serving.engine.process import Patience
from edgevlo.serving.limits import EngineLimits

PAINT = Task(ability="paint", text="a red car", options={"seed": 7})
LARGE = Task(ability="paint", text="a red car", options={"seed": 7}, size="40x40")  # 100 cells


@asynccontextmanager
async def running(
    folders: dict[str, Path], limits: EngineLimits | None = None, keeping: Keeping | None = None
) -> AsyncIterator[Engine]:
    engine = Engine(Models(folders, {}, keeping or Keeping()), limits or EngineLimits())
    engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def submit(engine: Engine, task: Task, client: str = "somebody", **more: Any) -> Job:
    return engine.submit(task, model=more.pop("model", None), client=client, **more)


def codes(model: Model, **options: Any) -> bytes:
    *_, last = model.paint_rows("a red car", **options)
    return last.codes.astype("<i4").tobytes()


async def first_row(job: Job) -> None:
    async for _, event in job.follow():
        if isinstance(event, Row):
            return


async def until(holds: Callable[[], object], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


def run(test: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await test

    asyncio.run(bounded())


def test_jobs_of_many_clients_get_their_own_pictures(toy: Path, model: Model) -> None:
    async def test() -> None:
        async with running({"toy": toy}) as engine:
            jobs = [
                submit(engine, Task(ability="paint", text="a red car", options={"seed": seed}), client=str(seed % 5))
                for seed in range(20)
            ]
            ends = [await job.wait() for job in jobs]
        assert all(isinstance(end, Done) for end in ends)
        for seed, job in enumerate(jobs):
            assert job.pictures[0].codes == codes(model, seed=seed)

    run(test())


def test_a_task_without_a_seed_is_given_one_before_it_is_begun(toy: Path, model: Model) -> None:
    async def test() -> None:
        async with running({"toy": toy}) as engine:
            job = submit(engine, Task(ability="paint", text="a red car"))
            await job.wait()
        seed = job.task.options["seed"]
        assert job.pictures[0].seed == seed
        assert job.pictures[0].codes == codes(model, seed=seed)

    run(test())


def test_a_killed_worker_is_restarted_and_the_picture_goes_on(slow_toy: Path, model: Model) -> None:
    async def test() -> None:
        async with running({"toy": slow_toy}) as engine:
            job, waiting = submit(engine, LARGE), submit(engine, PAINT)
            await first_row(job)
            worker = engine.models.served["toy"].worker
            assert worker is not None
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            assert isinstance(await job.wait(), Done)
            assert isinstance(await waiting.wait(), Done)
            rows = [event.row for event in job.events if isinstance(event, Row)]
            assert rows == list(range(10)), "every row once"
            assert job.pictures[0].codes == codes(model, seed=7, size="40x40")
            assert waiting.pictures[0].codes == codes(model, seed=7)
            assert engine.models.served["toy"].restarts == 1

    run(test())


def test_a_task_that_ends_its_worker_twice_is_not_tried_a_third_time(slow_toy: Path) -> None:
    async def test() -> None:
        async with running({"toy": slow_toy}) as engine:
            job = submit(engine, LARGE)
            await first_row(job)
            killed = set[int]()

            def kill() -> bool:
                worker = engine.models.served["toy"].worker
                if worker is not None and worker.pid and worker.busy and worker.pid not in killed:
                    killed.add(worker.pid)
                    os.kill(worker.pid, signal.SIGKILL)
                return job.is_over

            await until(kill)
            end = await job.wait()
            assert isinstance(end, Failed)
            assert end.kind == "WorkerLost"
            assert len(killed) == 2
            after = submit(engine, PAINT)
            assert isinstance(await after.wait(), Done)

    run(test())


def test_a_stuck_worker_is_replaced(slow_toy: Path, model: Model) -> None:
    async def test() -> None:
        keeping = Keeping(patience=Patience(silence_s=1.2))
        async with running({"toy": slow_toy}, keeping=keeping) as engine:
            job = submit(engine, LARGE)
            await first_row(job)
            worker = engine.models.served["toy"].worker
            assert worker is not None
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGSTOP)
            assert isinstance(await job.wait(), Done)
            assert job.pictures[0].codes == codes(model, seed=7, size="40x40")

    run(test())


def test_a_cancelled_job_frees_the_engine_within_a_step(slow_toy: Path) -> None:
    async def test() -> None:
        async with running({"toy": slow_toy}) as engine:
            job = submit(engine, LARGE)
            await first_row(job)
            engine.cancel(job)
            assert job.state == "cancelled"
            await until(lambda: not engine.running)
            told = len(job.events)
            await submit(engine, PAINT).wait()
            assert len(job.events) == told
            assert engine.models.served["toy"].restarts == 0

    run(test())


def test_a_job_that_is_cancelled_while_it_waits_is_never_begun(slow_toy: Path) -> None:
    async def test() -> None:
        async with running({"toy": slow_toy}) as engine:
            first, second = submit(engine, LARGE), submit(engine, LARGE)
            await first_row(first)
            assert engine.ahead_of(second) == 1
            engine.cancel(second)
            assert engine.waiting == 0
            engine.cancel(first)
            await until(lambda: not engine.running)
            assert second.started_at is None

    run(test())


def test_a_job_past_its_deadline_is_stopped(slow_toy: Path) -> None:
    async def test() -> None:
        async with running({"toy": slow_toy}) as engine:
            await submit(engine, PAINT).wait()
            job = submit(engine, LARGE, deadline_s=0.2)
            end = await job.wait()
            assert isinstance(end, Failed)
            assert end.kind == "Timeout"
            await until(lambda: not engine.running)

    run(test())


def test_a_full_queue_refuses_and_says_when_to_come_back(slow_toy: Path) -> None:
    async def test() -> None:
        async with running({"toy": slow_toy}, EngineLimits(queue=2, queue_each=1)) as engine:
            running_job = submit(engine, LARGE, client="a")
            await first_row(running_job)
            submit(engine, PAINT, client="a")
            with pytest.raises(QueueFullError):
                submit(engine, PAINT, client="a")
            submit(engine, PAINT, client="b")
            with pytest.raises(QueueFullError) as refused:
                submit(engine, PAINT, client="c")
            assert 1 <= refused.value.retry_after_s <= 60
            assert engine.metrics.refused.value == 2

    run(test())


def test_pictures_that_wait_have_only_so_much_room(slow_toy: Path) -> None:
    def edit(size: int) -> Task:
        return Task(ability="edit", text="a", pictures=(bytes(size),))

    async def test() -> None:
        async with running({"toy": slow_toy}, EngineLimits(queue_bytes=100)) as engine:
            await first_row(submit(engine, LARGE))
            alone = submit(engine, edit(200))
            with pytest.raises(QueueFullError):
                submit(engine, edit(1))
            submit(engine, PAINT)
            engine.cancel(alone)
            submit(engine, edit(80))
            submit(engine, edit(20))
            with pytest.raises(QueueFullError):
                submit(engine, edit(1))

    run(test())


def test_an_idle_model_gives_its_memory_back_and_is_opened_again(toy: Path, model: Model) -> None:
    async def test() -> None:
        async with running({"toy": toy}, keeping=Keeping(keep_alive_s=0.1)) as engine:
            await submit(engine, PAINT).wait()
            served = engine.models.served["toy"]
            worker = served.worker
            assert worker is not None
            assert worker.pid is not None
            await until(lambda: served.worker is None)
            with pytest.raises(ProcessLookupError):
                os.kill(worker.pid, 0)
            again = submit(engine, PAINT)
            await again.wait()
            assert again.pictures[0].codes == codes(model, seed=7)
            assert engine.is_ready

    run(test())


def test_two_models_that_do_not_fit_are_never_open_together(toy: Path, slow_toy: Path) -> None:
    async def test() -> None:
        models = {"toy": toy, "slow": slow_toy}
        async with running(models, keeping=Keeping(memory_bytes=150 * 2**20)) as engine:
            for name in ("toy", "slow", "toy"):
                job = submit(engine, PAINT, model=name)
                assert isinstance(await job.wait(), Done)
                assert [one.name for one in engine.models.served.values() if one.is_open] == [name]

    run(test())


def test_a_model_beyond_the_budget_is_refused_in_words(toy: Path) -> None:
    async def test() -> None:
        async with running({"toy": toy}, keeping=Keeping(memory_bytes=2**20)) as engine:
            end = await submit(engine, PAINT).wait()
            assert isinstance(end, Failed)
            assert end.kind == "MemoryShortError"
            assert "--memory-budget" in end.text
            assert not engine.is_ready

    run(test())


def test_a_bundle_that_was_damaged_later_fails_the_request_and_not_the_server(toy: Path, tmp_path: Path) -> None:
    import shutil

    damaged = Path(shutil.copytree(toy, tmp_path / "damaged"))

    async def test() -> None:
        (damaged / "tokenizer.json").write_text("{}")
        async with running({"damaged": damaged, "toy": toy}) as engine:
            end = await submit(engine, PAINT).wait()
            assert isinstance(end, Failed)
            assert end.kind == "BundleError"
            assert isinstance(await submit(engine, PAINT, model="toy").wait(), Done)

    run(test())


def test_closing_ends_workers_and_takes_nothing_new(slow_toy: Path) -> None:
    async def test() -> None:
        async with running({"toy": slow_toy}) as engine:
            job, waiting = submit(engine, LARGE), submit(engine, LARGE)
            await first_row(job)
            worker = engine.models.served["toy"].worker
            assert worker is not None
            assert worker.pid is not None
        assert (job.state, waiting.state) == ("failed", "failed")
        with pytest.raises(ProcessLookupError):
            os.kill(worker.pid, 0)
        with pytest.raises(ClosingError):
            submit(engine, PAINT)

    run(test())


def test_kept_jobs_are_found_until_they_are_old(toy: Path) -> None:
    async def test() -> None:
        async with running({"toy": toy}, EngineLimits(keep_s=0.5)) as engine:
            kept, not_kept = submit(engine, PAINT, keep=True), submit(engine, PAINT)
            await kept.wait()
            await not_kept.wait()
            assert engine.find(kept.id) is kept
            assert engine.find(not_kept.id) is None
            began = time.monotonic()
            await until(lambda: engine.find(kept.id) is None)
            assert time.monotonic() - began > 0.4

    run(test())


def test_only_so_many_jobs_are_kept_and_the_oldest_go_first(toy: Path) -> None:
    async def test() -> None:
        async with running({"toy": toy}, EngineLimits(keep_jobs=2)) as engine:
            jobs = []
            for _ in range(3):
                jobs.append(submit(engine, PAINT, keep=True))
                await jobs[-1].wait()
            assert [engine.find(job.id) is not None for job in jobs] == [False, True, True]

    run(test())


def test_only_so_many_bytes_are_kept_and_the_oldest_go_first(toy: Path) -> None:
    async def test() -> None:
        async with running({"toy": toy}) as engine:
            jobs = [submit(engine, PAINT, keep=True) for _ in range(3)]
            for job in jobs:
                await job.wait()
            room = jobs[1].bytes + jobs[2].bytes
        async with running({"toy": toy}, EngineLimits(keep_bytes=room)) as engine:
            jobs = []
            for _ in range(3):
                jobs.append(submit(engine, PAINT, keep=True))
                await jobs[-1].wait()
            await until(lambda: engine.find(jobs[0].id) is None)
            assert [engine.find(job.id) is not None for job in jobs] == [False, True, True]

    run(test())


def test_nothing_is_left_of_jobs_that_are_over(slow_toy: Path) -> None:
    """However they ended: what the engine, its metrics and the process know of jobs is empty again."""

    async def test() -> None:
        async with running({"toy": slow_toy}) as engine:
            done, cancelled, late = submit(engine, PAINT), submit(engine, LARGE), submit(engine, PAINT)
            await done.wait()
            await first_row(cancelled)
            engine.cancel(cancelled)
            engine.cancel(late)
            await until(lambda: not engine.running)
            worker = engine.models.served["toy"].worker
            assert worker is not None
            assert not worker.busy
            assert engine.waiting == 0
            assert not engine.metrics._last_row
            await until(lambda: len(engine._tasks) == 2)  # that dispatch and tick
            assert not engine._kept

    run(test())
