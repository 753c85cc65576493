// SPDX-License-Identifier: Apache-2.0
#include "hermod/identity/hashing_pool.hpp"

#include <gtest/gtest.h>

#include <semaphore>

namespace hermod::identity {
namespace {

std::shared_ptr<const PasswordHash> hash_of(std::string_view password) {
  return std::make_shared<const PasswordHash>(
      *hash_password(as_bytes(password), HashKind::kPbkdf2Sha512, 2));
}
std::vector<std::uint8_t> octets(std::string_view text) {
  return {text.begin(), text.end()};
}

/// A desk that says when something lies on it.
struct Asker {
  std::counting_semaphore<> woken{0};
  std::shared_ptr<Desk> desk = std::make_shared<Desk>([this] { woken.release(); });
  /// Waits for so many results.
  std::vector<Desk::Result> take(std::size_t count) {
    std::vector<Desk::Result> all;
    while (all.size() < count) {
      if (!woken.try_acquire_for(std::chrono::seconds{20})) {
        ADD_FAILURE() << "no result";
        break;
      }
      for (const Desk::Result& result : desk->take()) all.push_back(result);
    }
    return all;
  }
};

TEST(HashingPool, AnswersWhetherThePasswordMatches) {
  HashingPool pool{{}};
  Asker asker;
  const auto hash = hash_of("right");
  ASSERT_TRUE(pool.submit({hash, octets("right"), false, 1, 11, asker.desk}));
  ASSERT_TRUE(pool.submit({hash, octets("wrong"), false, 2, 12, asker.desk}));
  ASSERT_TRUE(pool.submit({hash, octets("right"), true, 3, 13, asker.desk}));
  const auto results = asker.take(3);
  ASSERT_EQ(results.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {  // one thread: in order
    EXPECT_EQ(results[i].ticket, i + 1);
    EXPECT_EQ(results[i].proof, i + 11);
    EXPECT_EQ(results[i].matches, i == 0);  // a decoy never matches
  }
  EXPECT_EQ(pool.refused(), 0u);
}

TEST(HashingPool, SeveralThreadsAnswerEveryJobOnce) {
  HashingPool pool{{.threads = 4}};
  Asker asker;
  const auto hash = hash_of("right");
  for (std::uint64_t ticket = 0; ticket < 500; ++ticket) {
    ASSERT_TRUE(pool.submit(
        {hash, octets(ticket % 2 == 0 ? "right" : "no"), false, ticket, 0, asker.desk}));
  }
  std::vector<int> seen(500);
  for (const Desk::Result& result : asker.take(500)) {
    ++seen[result.ticket];
    EXPECT_EQ(result.matches, result.ticket % 2 == 0);
  }
  EXPECT_EQ(seen, std::vector<int>(500, 1));
}

// Without threads nothing is taken from the queue.
TEST(HashingPool, RefusesMoreThanItsLimitsAndCountsThat) {
  Asker asker;
  const auto hash = hash_of("x");
  const auto job = [&](std::size_t size, std::uint64_t ticket = 0) {
    return HashingPool::Job{hash, std::vector<std::uint8_t>(size), false, ticket, 0, asker.desk};
  };
  HashingPool few{{.threads = 0, .jobs_max = 3}};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(few.submit(job(1)));
  EXPECT_FALSE(few.submit(job(0)));
  EXPECT_EQ(few.refused(), 1u);
  HashingPool small{{.threads = 0, .bytes_max = 10}};
  EXPECT_TRUE(small.submit(job(6, 1)));
  EXPECT_FALSE(small.submit(job(5, 2)));
  EXPECT_TRUE(small.submit(job(4, 3)));
  EXPECT_FALSE(small.submit(job(1, 4)));
  EXPECT_EQ(small.refused(), 2u);
  Asker other;
  small.cancel(*other.desk, 1);  // not his
  EXPECT_FALSE(small.submit(job(1, 5)));
  small.cancel(*asker.desk, 1);
  EXPECT_TRUE(small.submit(job(6, 6)));
  EXPECT_TRUE(asker.desk->empty());
}

TEST(HashingPool, EndsWithJobsWaiting) {
  Asker asker;
  {
    HashingPool pool{{}};
    const auto slow = std::make_shared<const PasswordHash>(
        *hash_password(as_bytes("x"), HashKind::kPbkdf2Sha512, 20'000));
    for (int i = 0; i < 1'000; ++i) (void)pool.submit({slow, octets("x"), false, 1, 0, asker.desk});
  }
  EXPECT_LT(asker.desk->take().size(), 1'000u);
}

TEST(HashingPool, AClosedDeskWakesNobody) {
  HashingPool pool{{}};
  Asker open;
  int woken = 0;
  const auto gone = std::make_shared<Desk>([&woken] { ++woken; });
  gone->close();
  const auto hash = hash_of("x");
  ASSERT_TRUE(pool.submit({hash, octets("x"), false, 1, 0, gone}));
  ASSERT_TRUE(pool.submit({hash, octets("x"), false, 2, 0, open.desk}));
  EXPECT_EQ(open.take(1).size(), 1u);
  EXPECT_EQ(woken, 0);
  EXPECT_FALSE(gone->empty());
}

}  // namespace
}  // namespace hermod::identity
