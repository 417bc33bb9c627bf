"""A leaderboard: scores come in all the time, and the ten best are asked for."""
import os

from .. import load
from ..comparison import Comparison
from ..load import CONNECTIONS, client, side_by_side
from ..project import fail
from ..servers import Postgres, Pyralog, Redis

PLAYER = "player-############"
# The client draws nine digits; with the one before them a number of JSON begins with no zero.
SCORE = "1@@@@@@@@@@@@"
SQL = "SELECT key, score FROM board ORDER BY score DESC LIMIT 10"
UPSERT = "insert into board values ($1, $2) on conflict (player) do update set score = excluded.score"
TOP = "select player, score from board order by score desc limit 10"
UPDATES, QUESTIONS = 99, 1


def requests():
    """(update, top ten) by system."""
    put = '{"then":[{"put":{"log":"board","key":"%s","value":{"score":%s}}}]}' % (PLAYER, SCORE)
    return {
        "Pyralog": (load.http("POST", "/v1/transactions", put, ("Content-Type: application/json",)),
                    load.http("POST", "/v1/sql", SQL, ("Content-Type: application/sql",))),
        "Redis sorted set": (load.redis(("ZADD", "board", SCORE, PLAYER)), load.redis(("ZREVRANGE", "board", 0, 9, "WITHSCORES"))),
        "PostgreSQL, unlogged": (load.postgres(0, PLAYER, SCORE), load.postgres(1))}


def run(scratch, quick):
    players = 10_000 if quick else 100_000
    seconds, rounds = (1, 1) if quick else (1, 7)
    with Pyralog(scratch) as server, Redis(scratch) as redis, Postgres(scratch) as postgres:
        peers = {"Pyralog": ("http", server), "Redis sorted set": ("redis", redis), "PostgreSQL, unlogged": ("postgres", postgres)}
        server.log("board", compaction="keys", schema={"score": "BIGINT"})
        for system in ("Pyralog", "Redis sorted set"):
            protocol, peer = peers[system]
            update, _ = requests()[system]
            # The numbers that are drawn are the same in each run of the client: both have the same board.
            client(protocol, peer.port, [update], keys=players, once=True)
        fill_postgres(redis, postgres, scratch)
        check(server, redis, postgres)
        comparison = Comparison(
            "Leaderboard", f"{players:,} players by chance, each with a score; here a transaction and SQL, in Redis ZADD and ZREVRANGE, in "
            f"PostgreSQL an upsert into an unlogged table with an index on the score, and ORDER BY … LIMIT 10; {CONNECTIONS} connections")
        for what, weights in (("updates", (1, 0)), ("top ten", (0, 1)), (f"{UPDATES} % and {QUESTIONS} %", (UPDATES, QUESTIONS))):
            targets = {system: target(peers[system], pair, weights, seconds, players) for system, pair in requests().items()}
            comparison.measured(what, side_by_side(targets, rounds))
        comparison.say("checked: the ten best and their scores are the same in all three")
        comparison.say("not the same: Redis keeps the set in order and reads ten of it, so does PostgreSQL's index; here every question "
                       "looks at all scores, and may ask for anything")
        return comparison


def target(peer, pair, weights, seconds, players):
    protocol, server = peer
    mix = [(*request, weight) for request, weight in zip(pair, weights) if weight]
    prologue = load.postgres_prologue([UPSERT, TOP]) if protocol == "postgres" else ()
    return lambda: client(protocol, server.port, mix, seconds=seconds, keys=players, prologue=prologue).load


def fill_postgres(redis, postgres, scratch):
    """With what Redis has."""
    words = redis.call("ZRANGE", "board", 0, -1, "WITHSCORES")
    path = os.path.join(scratch, "board")
    with open(path, "w") as file:
        file.writelines(f"{player}\t{int(float(score))}\n" for player, score in zip(words[::2], words[1::2]))
    os.chmod(path, 0o644)
    postgres.sql(f"create unlogged table board (player text primary key, score bigint); copy board from '{path}'; "
                 "create index on board (score desc); analyze board")


def check(server, redis, postgres):
    words = redis.call("ZREVRANGE", "board", 0, 9, "WITHSCORES")
    boards = {
        "Pyralog": [(player, int(score)) for player, score in server.sql(SQL)],
        "Redis": [(player, int(float(score))) for player, score in zip(words[::2], words[1::2])],
        "PostgreSQL": [(player, int(score)) for player, score in postgres.sql(TOP)]}
    if len(boards["Pyralog"]) != 10 or any(board != boards["Pyralog"] for board in boards.values()):
        fail(f"leaderboard: the ten best are not the same: {boards}")
