"""The queries that the product was conceived for, over data that came by HTTP."""

import datetime
import itertools
import json

import pytest

from support import modes
from support.sql import SQLServer

pytestmark = pytest.mark.modes(*modes.ALL)

MINUTE = 60_000
DAY = 86_400_000


@pytest.fixture(scope="module")
def server(storage_mode):
    with SQLServer(mode=storage_mode) as running:
        yield running


@pytest.fixture(scope="module")
def tested(storage_mode):
    """A server whose clock tests move."""
    with SQLServer("--test-mode", mode=storage_mode) as running:
        yield running


_numbers = itertools.count(1)


@pytest.fixture
def name():
    """A log that no other test uses."""
    return f"events{next(_numbers)}"


def clock(server) -> int:
    return server.value("SELECT epoch_ms(now())")


def advance(server, milliseconds):
    answer = server.call("POST", "/v1/test/clock", {"advance_ms": milliseconds})
    assert answer.status in (200, 204), answer


def instant(milliseconds) -> str:
    """As answers write it."""
    moment = datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.UTC)
    fraction = f"{milliseconds % 1000:03}".rstrip("0")
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + "Z"


def test_a_click_stream_is_grouped_by_user_and_minute(server, name):
    start = 1_750_000_020_000
    clicks = [(user, start + second * 1000) for second in range(300) for user in range(second % 3 + 1)]
    server.append(name, [{"user_id": user, "at": at} for user, at in clicks], timestamp_field="at")
    expected = {}
    for user, at in clicks:
        window = (user, instant(at // MINUTE * MINUTE))
        expected[window] = expected.get(window, 0) + 1
    rows = server.rows(
        f"SELECT user_id, tumble(timestamp, INTERVAL '1' MINUTE) AS minute, count(*) AS clicks "
        f"FROM {name} GROUP BY user_id, tumble(timestamp, INTERVAL '1' MINUTE)")
    assert {(user, minute): count for user, minute, count in rows} == expected
    assert len(expected) == 15


def test_features_of_each_user_over_the_last_thirty_days(server, name):
    now = clock(server)
    orders = [(user, days, 10 * user + days) for user in range(1, 6) for days in range(0, 60, 7)]
    server.append(name, [{"user_id": user, "amount": amount, "at": now - days * DAY}
                         for user, days, amount in orders], timestamp_field="at")
    rows = server.rows(
        f"SELECT user_id, avg(amount), count(*), max(timestamp) FROM {name} "
        f"WHERE timestamp > NOW() - INTERVAL '30' DAYS GROUP BY user_id ORDER BY user_id")
    assert rows == [(user, sum(10 * user + days for days in range(0, 30, 7)) / 5, 5, instant(now))
                    for user in range(1, 6)]


def test_the_ten_best_bids_of_an_order_book(server, name):
    for order in range(40):
        server.put(name, f"order-{order}", {"side": "bid" if order % 4 else "ask", "price": 100 + order,
                                            "size": 1})
    # The best one is withdrawn, the second best is made worse, a poor one becomes the best.
    assert server.call("DELETE", f"/v1/logs/{name}/keys/order-39").status == 204
    server.put(name, "order-38", {"side": "bid", "price": 50.5, "size": 7})
    server.put(name, "order-1", {"side": "bid", "price": 200.25, "size": 9})
    prices = [float(100 + order) for order in range(40) if order % 4 and order not in (1, 38, 39)]
    best = [200.25] + sorted(prices, reverse=True)[:9]
    rows = server.rows(
        f"SELECT price, size FROM {name} WHERE side = 'bid' ORDER BY price DESC LIMIT 10")
    assert [float(price) for price, _ in rows] == best and rows[0][1] == 9
    assert server.value(f"SELECT count(*) FROM {name}") == 39
    assert server.value(f"SELECT count(*) FROM log_records('{name}') WHERE side = 'bid'") >= 29


def test_pending_transactions_of_a_mempool_by_gas_price(server, name):
    for number in range(50):
        status = "pending" if number % 2 else "mined"
        server.put(name, f"0x{number:040x}",
                   {"status": status, "gas_price": number * 1_000_000_007, "nonce": number},
                   priority=number)
    rows = server.rows(
        f"SELECT key, gas_price, _priority FROM {name} WHERE status = 'pending' ORDER BY gas_price DESC "
        f"LIMIT 5")
    assert rows == [(f"0x{n:040x}", n * 1_000_000_007, n) for n in (49, 47, 45, 43, 41)]


def test_latencies_are_grouped_by_a_tag_over_the_last_five_minutes(server, name):
    now = clock(server)
    spans = [(seconds, f"/api/{seconds % 3}", seconds) for seconds in range(0, 600, 10)]
    server.append(name, [{"tags": {"endpoint": endpoint, "zone": "a"}, "latency_ms": latency,
                          "at": now - seconds * 1000}
                         for seconds, endpoint, latency in spans], timestamp_field="at")
    # A moment passes between now and the query: the one at exactly five minutes is out.
    recent = [(endpoint, latency) for seconds, endpoint, latency in spans if seconds < 300]
    expected = []
    for endpoint in sorted({endpoint for endpoint, _ in recent}):
        latencies = [latency for other, latency in recent if other == endpoint]
        expected.append((endpoint, len(latencies), max(latencies)))
    assert server.rows(
        f"SELECT tags->>'endpoint' AS endpoint, count(*), max(latency_ms) FROM {name} "
        f"WHERE timestamp > now() - INTERVAL '5 minutes' GROUP BY tags->>'endpoint' ORDER BY "
        f"endpoint") == expected


def test_users_are_those_that_live_now(tested):
    tested.put("users", "ann", {"name": "Ann", "active": True})
    tested.put("users", "bob", {"name": "Bob", "active": True})
    tested.put("users", "cy", {"name": "Cy", "active": True})
    tested.put("users", "dee", {"name": "Dee", "active": False})
    tested.put("users", "eve", {"name": "Eve", "active": True}, ttl_ms=5000)
    active = "SELECT name FROM users WHERE active = true ORDER BY name"
    assert tested.rows(active) == [("Ann",), ("Bob",), ("Cy",), ("Eve",)]
    tested.put("users", "bob", {"name": "Bob", "active": False})
    tested.put("users", "dee", {"name": "Dee", "active": True})
    assert tested.call("DELETE", "/v1/logs/users/keys/cy").status == 204
    advance(tested, 3000)
    assert tested.rows(active) == [("Ann",), ("Dee",), ("Eve",)]
    advance(tested, 2000)
    assert tested.rows(active) == [("Ann",), ("Dee",)]
    assert len(tested.rows("SELECT * FROM users")) == 3
    assert tested.value("SELECT count(*) FROM log_records('users') WHERE name = 'Eve'") == 0
    # A key that is written again after it expired is there again.
    tested.put("users", "eve", {"name": "Eve", "active": True})
    assert tested.rows(active) == [("Ann",), ("Dee",), ("Eve",)]


def test_now_is_the_clock_that_tests_move(tested):
    before = clock(tested)
    advance(tested, 3_600_000)
    assert 3_600_000 <= clock(tested) - before < 3_700_000
    tested.append("moves", [{"n": 1}])
    advance(tested, 10_000)
    recent = "SELECT count(*) FROM moves WHERE timestamp > now() - INTERVAL '{} seconds'"
    assert tested.value(recent.format(11)) == 1
    assert tested.value(recent.format(9)) == 0
    for other in ("current_timestamp", "today()", "get_current_timestamp()", "current_date",
                  "localtimestamp"):
        answer = tested.ask(f"SELECT {other}")
        assert answer.status == 400 and "now()" in answer.detail, (other, answer)


def test_two_logs_are_joined(server, name):
    customers, orders = f"{name}_customers", f"{name}_orders"
    for number in range(10):
        server.put(customers, f"c{number}", {"id": number, "city": f"city{number % 3}"})
    server.append(orders, [{"customer": number % 12, "total": number} for number in range(120)])
    expected = {}
    for number in range(120):
        if number % 12 < 10:
            city = f"city{number % 12 % 3}"
            expected[city] = expected.get(city, 0) + number
    rows = server.rows(f"SELECT c.city, sum(o.total) FROM {orders} o JOIN {customers} c ON o.customer = "
                       f"c.id GROUP BY ALL")
    assert dict(rows) == expected
    assert server.value(f"SELECT count(*) FROM {orders} o ANTI JOIN {customers} c ON o.customer = c.id") == 20
    assert server.value(f"SELECT count(*) FROM {orders} a JOIN {orders} b USING (_offset)") == 120


def test_common_table_expressions_and_window_functions(server, name):
    server.append(name, [{"player": f"p{n % 4}", "score": (n * 37) % 100} for n in range(40)])
    expected = [(f"p{p}", max((n * 37) % 100 for n in range(40) if n % 4 == p)) for p in range(4)]
    board = sorted(expected, key=lambda entry: -entry[1])
    rows = server.rows(
        f"WITH ranked AS (SELECT player, score, row_number() OVER (PARTITION BY player ORDER BY score DESC) "
        f"AS place FROM {name}) "
        f"SELECT player, score, rank() OVER (ORDER BY score DESC) FROM ranked WHERE place = 1 ORDER BY 3, 1")
    assert rows == [(player, score, 1 + sum(other > score for _, other in board)) for player, score in board]
    # A common table expression comes before a log of its name.
    assert server.value(f"WITH {name} AS (SELECT 7 AS seven) SELECT seven FROM {name}") == 7
    steps = server.rows(f"SELECT score - lag(score) OVER (ORDER BY _offset) FROM {name} ORDER BY _offset "
                        f"LIMIT 3")
    assert steps == [(None,), (37,), (37,)]


def test_hopping_windows_overlap(server, name):
    start = 1_750_000_020_000
    server.append(name, [{"at": start + minute * MINUTE} for minute in range(20)], timestamp_field="at")
    expected = {}
    for minute in range(20):
        at = start + minute * MINUTE
        first = at // (5 * MINUTE) * (5 * MINUTE)
        for window in (first, first - 5 * MINUTE, first - 10 * MINUTE):
            if window <= at < window + 12 * MINUTE:
                expected[instant(window)] = expected.get(instant(window), 0) + 1
    rows = server.rows(
        f"SELECT unnest(hop(timestamp, INTERVAL '5 minutes', INTERVAL '12 minutes')) AS w, count(*) FROM "
        f"{name} GROUP BY w")
    assert dict(rows) == expected


def test_tumbling_windows_begin_at_the_epoch(server):
    assert server.rows(
        "SELECT tumble(TIMESTAMPTZ '2026-11-24 12:34:56.789Z', INTERVAL '1' HOUR), "
        "tumble(TIMESTAMPTZ '1969-12-31 23:59:59Z', INTERVAL '7 minutes')") == [
            ("2026-11-24T12:00:00Z", "1969-12-31T23:53:00Z")]


def test_a_graph_is_walked_by_a_recursive_query(server, name):
    edges = [(n, n * 2) for n in range(1, 50)] + [(n, n * 2 + 1) for n in range(1, 50)] + [(99, 1)]
    for number, (source, target) in enumerate(edges):
        server.put(name, f"e{number}", {"src": source, "dst": target})
    walk = (f"WITH RECURSIVE reached(node, depth) AS (SELECT 1, 0 UNION "
            f"SELECT dst, depth + 1 FROM reached JOIN {name} ON src = node WHERE depth < 3) "
            f"SELECT depth, count(DISTINCT node) FROM reached GROUP BY depth ORDER BY depth")
    assert server.rows(walk) == [(0, 1), (1, 2), (2, 4), (3, 8)]
    # An edge that is deleted is not walked.
    assert server.call("DELETE", f"/v1/logs/{name}/keys/e0").status == 204
    assert server.rows(walk) == [(0, 1), (1, 1), (2, 2), (3, 4)]


def test_a_leaderboard_of_counters(server, name):
    for game in range(30):
        answer = server.call("POST", f"/v1/logs/{name}/keys/player{game % 5}:increment", {"by": game})
        assert answer.status == 200, answer
    rows = server.rows(f"SELECT key, _value::BIGINT AS score FROM {name} ORDER BY score DESC")
    assert rows == [(f"player{player}", sum(range(player, 30, 5))) for player in range(4, -1, -1)]


def test_a_transaction_is_seen_whole_or_not_at_all(server, name):
    accounts = [f"a{n}" for n in range(10)]
    for account in accounts:
        server.put(name, account, {"balance": 100})
    for n in range(200):
        one, other = accounts[n % 10], accounts[(n * 7 + 3) % 10]
        if one == other:
            continue
        puts = []
        for account, by in ((one, -1), (other, 1)):
            balance = json.loads(server.call("GET", f"/v1/logs/{name}/keys/{account}").body)["balance"]
            puts.append({"put": {"log": name, "key": account, "value": {"balance": balance + by}}})
        assert server.call("POST", "/v1/transactions", {"then": puts}).json()["committed"]
        if n % 10 == 0:
            assert server.rows(f"SELECT sum(balance), count(*) FROM {name}") == [(1000, 10)]
