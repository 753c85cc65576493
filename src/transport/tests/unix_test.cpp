// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/unix.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "hermod/transport/tcp.hpp"
#include "loop.hpp"

namespace hermod::transport {
namespace {

constexpr Token kFirst = 1;
constexpr Token kSecond = 2;

class Unix : public testing::Test {
 protected:
  Unix() {
    std::string name = testing::TempDir() + "hermod-unix-XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/socket";
  }
  ~Unix() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::unique_ptr<TcpStream> connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    auto stream = std::make_unique<TcpStream>(fd);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return nullptr;
    return stream;
  }
  [[nodiscard]] std::string error() const {
    const auto listeners = listen_unix(path_, 1);
    return listeners ? "" : listeners.error();
  }

  std::string folder_;
  std::string path_;
};

TEST_F(Unix, ConnectionsGoToOneOfTheListeners) {
  const auto listeners = listen_unix(path_, 2);
  ASSERT_TRUE(listeners) << listeners.error();
  EXPECT_EQ((*listeners)[1]->local_text(), path_);
  auto poller = make_poller();
  ASSERT_TRUE(poller->add(*(*listeners)[0], kFirst));
  ASSERT_TRUE(poller->add(*(*listeners)[1], kSecond));
  const auto client = connect();
  ASSERT_TRUE(client);
  ASSERT_TRUE(wait_readable(*poller, kSecond));  // both are told
  int failure = 0;
  const auto server = (*listeners)[0]->accept(failure);
  ASSERT_TRUE(server);
  EXPECT_FALSE((*listeners)[1]->accept(failure));
  EXPECT_EQ(failure, 0);
  EXPECT_EQ(server->peer_text(), path_);

  ASSERT_TRUE(poller->add(*server, kServer));
  EXPECT_EQ(write_text(*client, "hello").count, 5u);
  ASSERT_TRUE(wait_readable(*poller, kServer));
  std::string text;
  EXPECT_EQ(read_text(*server, 100, text).status, IoResult::Status::kDone);
  EXPECT_EQ(text, "hello");
}

TEST_F(Unix, TheFileIsNotForOthersAndGoesWithTheLastListener) {
  auto listeners = listen_unix(path_, 2);
  ASSERT_TRUE(listeners) << listeners.error();
  struct stat made{};
  ASSERT_EQ(stat(path_.c_str(), &made), 0);
  EXPECT_TRUE(S_ISSOCK(made.st_mode));
  EXPECT_EQ(made.st_mode & 0777u, 0770u);
  listeners->pop_back();
  EXPECT_TRUE(std::filesystem::exists(path_));
  listeners->pop_back();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Unix, AFileThatNobodyListensOnIsReplaced) {
  const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(left, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(left);
  ASSERT_TRUE(std::filesystem::exists(path_));
  EXPECT_EQ(error(), "");
}

TEST_F(Unix, WhatIsNotOursIsLeftAlone) {
  {
    const auto listeners = listen_unix(path_, 1);
    ASSERT_TRUE(listeners) << listeners.error();
    EXPECT_EQ(error(), "cannot listen on " + path_ + ": Address already in use");
    EXPECT_TRUE(connect());
  }
  std::ofstream(path_) << "not a socket";
  EXPECT_EQ(error(), "cannot listen on " + path_ + ": File exists");
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(Unix, ASocketThatTookItsPlaceStays) {
  auto first = listen_unix(path_, 1);
  ASSERT_TRUE(first) << first.error();
  std::filesystem::remove(path_);
  const auto second = listen_unix(path_, 1);
  ASSERT_TRUE(second) << second.error();
  first->clear();
  EXPECT_TRUE(connect());
}

TEST_F(Unix, PathsAreChecked) {
  path_ = folder_ + "/none/socket";
  EXPECT_EQ(error(), "cannot listen on " + path_ + ": No such file or directory");
  path_ = folder_ + "/" + std::string(200, 'x');
  EXPECT_NE(error().find("the kernel takes at most 107"), std::string::npos);
  EXPECT_EQ(unix_path_fault(""), "it is empty");
  EXPECT_EQ(unix_path_fault(std::string(107, 'x')), "");
}

}  // namespace
}  // namespace hermod::transport
