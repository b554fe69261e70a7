"""Keys go where Kafka's Java client would send them."""

from collections import Counter

import pytest

from schemas.partitioning import murmur2, partition_of


# org.apache.kafka.common.utils.UtilsTest.testMurmur2
@pytest.mark.parametrize(
    ("data", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_that_of_the_java_client(data: bytes, signed: int) -> None:
    assert murmur2(data) == signed % 2**32


def test_a_partition_is_the_positive_hash_modulo_their_number() -> None:
    assert partition_of("foobar", 12) == (-790332482 & 0x7FFFFFFF) % 12


def test_one_partition_takes_every_key() -> None:
    assert {partition_of(f"cdn/{n}", 1) for n in range(100)} == {0}


def test_keys_spread_over_the_partitions() -> None:
    counts = Counter(partition_of(f"cdn/{n}", 12) for n in range(12_000))
    assert set(counts) == set(range(12))
    assert max(counts.values()) < 1_200
