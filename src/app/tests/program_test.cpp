// SPDX-License-Identifier: Apache-2.0
// The names of the program, and its options files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "commands/options_file.hpp"
#include "commands/program.hpp"

namespace hermod::app {
namespace {

using testing::ElementsAre;

TEST(Program, TheLastPartOfThePathIsTheName) {
  EXPECT_EQ(mosquitto_program("/usr/local/bin/mosquitto_sub")->task, Task::kSub);
  EXPECT_EQ(mosquitto_program("mosquitto")->task, Task::kServe);
  for (const char* other : {"", "hermod", "/mosquitto/hermod", "mosquitto_ctrl", "mosquitto/"}) {
    EXPECT_FALSE(mosquitto_program(other)) << other;
  }
}

TEST(Program, ItSpeaksUnderItsName) {
  EXPECT_EQ(kHermodPub.error_line("no."), "hermod pub: no.");
  EXPECT_EQ(kHermodPub.advice(), "All options: hermod help pub");
  EXPECT_EQ(kHermodPub.options_file(), "hermod_pub");
  const Program foreign = *mosquitto_program("mosquitto_pub");
  EXPECT_EQ(foreign.error_line("no."), "Error: no.");
  EXPECT_EQ(foreign.advice(), "\nUse 'mosquitto_pub --help' to see usage.");
  EXPECT_EQ(foreign.options_file(), "mosquitto_pub");
}

TEST(Program, SignalsGiveTheStatusThatScriptsKnow) {
  EXPECT_EQ(kHermodSub.status_of(SIGINT), 130);
  EXPECT_EQ(kHermodSub.status_of(SIGTERM), 0);
  EXPECT_EQ(mosquitto_program("mosquitto_sub")->status_of(SIGINT), 0);
  EXPECT_EQ(mosquitto_program("mosquitto_rr")->status_of(SIGTERM), 143);
}

TEST(OptionsFile, HasAnOptionALine) {
  EXPECT_THAT(option_words("# comment\n\n-h host\r\n  -v\n-m two  words \n--qos 1"),
              ElementsAre("-h", "host", "-v", "-m", "two  words ", "--qos", "1"));
}

TEST(OptionsFile, PropertiesHaveTheirWords) {
  EXPECT_THAT(option_words("-D publish content-type text/plain; x\n"
                           "-D connect user-property name the value\n-D will\n"),
              ElementsAre("-D", "publish", "content-type", "text/plain; x", "-D", "connect",
                          "user-property", "name", "the value", "-D", "will", ""));
}

class OptionsFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("hermod-options-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    setenv("XDG_CONFIG_HOME", folder_.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("XDG_CONFIG_HOME");
    std::filesystem::remove_all(folder_);
  }
  void write(const char* name, const char* text) { std::ofstream(folder_ / name) << text; }

  std::filesystem::path folder_;
};

TEST_F(OptionsFiles, StandInFrontOfTheCommandLine) {
  std::array words{const_cast<char*>("sub"), const_cast<char*>("-t"), const_cast<char*>("a")};
  EXPECT_THAT(*with_options_file(words, kHermodSub), ElementsAre("sub", "-t", "a"));
  write("hermod_sub", "-p 77\n");
  write("hermod_pub", "-p 78\n");
  EXPECT_THAT(*with_options_file(words, kHermodSub), ElementsAre("sub", "-p", "77", "-t", "a"));
}

TEST_F(OptionsFiles, CanBeNamed) {
  write("hermod_sub", "-p 77\n");
  write("other", "-v\n");
  std::string path = folder_ / "other";
  std::array words{const_cast<char*>("sub"), const_cast<char*>("-o"), path.data()};
  EXPECT_THAT(*with_options_file(words, kHermodSub), ElementsAre("sub", "-v"));
  path += "-missing";
  words[2] = path.data();
  EXPECT_THAT(with_options_file(words, kHermodSub).error(),
              testing::EndsWith("cannot be read: No such file or directory. It has one option a "
                                "line, such as: -h broker.example.com"));
  EXPECT_EQ(with_options_file(std::span(words).first(2), kHermodSub).error(),
            "-o needs the path of a file with options: -o FILE.");
}

}  // namespace
}  // namespace hermod::app
