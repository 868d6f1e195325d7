// What version 1 wrote decodes for ever, to the same content, and is written the same way again.

#include "tests/golden/golden_messages.h"

#include <gmock/gmock.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "client/import/run_file.h"
#include "curvecast/v1/flag.pb.h"
#include "curvecast/v1/ingest.pb.h"
#include "curvecast/v1/journal.pb.h"
#include "curvecast/v1/query.pb.h"

namespace curvecast {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string ReadGolden(const std::string& name) {
  std::ifstream in(std::string(GOLDEN) + "/" + name, std::ios::binary);
  EXPECT_TRUE(in.is_open()) << name << " is missing: run bin/write_golden proto/golden";
  return {std::istreambuf_iterator<char>(in), {}};
}

bool Same(const Message& a, const Message& b) {
  google::protobuf::util::DefaultFieldComparator comparator;
  comparator.set_treat_nan_as_equal(true);
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_field_comparator(&comparator);
  return differencer.Compare(a, b);
}

TEST(GoldenMessagesTest, DecodeToWhatTheyWere) {
  for (const GoldenMessage& golden : GoldenMessages()) {
    const std::string bytes = ReadGolden(golden.name + ".binpb");
    std::unique_ptr<Message> decoded(golden.message->New());
    ASSERT_TRUE(decoded->ParseFromString(bytes)) << golden.name;
    EXPECT_TRUE(Same(*decoded, *golden.message)) << golden.name << "\n" << decoded->DebugString();
    // Each map in them has one entry, so that there is one way to write them.
    EXPECT_EQ(decoded->SerializeAsString(), bytes) << golden.name;
  }
}

// The fields that are set somewhere in a message, by full name.
void CollectFields(const Message& message, std::set<std::string>& fields) {
  std::vector<const FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    fields.insert(field->full_name());
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      CollectFields(message.GetReflection()->GetMessage(message, field), fields);
      continue;
    }
    for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
      CollectFields(message.GetReflection()->GetRepeatedMessage(message, field, i), fields);
    }
  }
}

TEST(GoldenMessagesTest, SetEveryFieldOfEveryMessageThatTravelsOrIsKept) {
  std::set<std::string> golden;
  for (const GoldenMessage& message : GoldenMessages()) CollectFields(*message.message, golden);
  for (const std::string& text : GoldenRunFile()) {
    v1::RunFileLine line;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(text, &line).ok()) << text;
    CollectFields(line, golden);
  }
  for (const auto* file :
       {v1::Run::descriptor()->file(), v1::Flag::descriptor()->file(), v1::PushRequest::descriptor()->file(),
        v1::JournalEvent::descriptor()->file(), v1::GetRunRequest::descriptor()->file()}) {
    for (int m = 0; m < file->message_type_count(); ++m) {
      const Descriptor* message = file->message_type(m);
      for (int f = 0; f < message->field_count(); ++f) {
        EXPECT_EQ(golden.count(message->field(f)->full_name()), 1)
            << message->field(f)->full_name()
            << " is in no golden message: add one to golden_messages.cc, and write_golden";
      }
    }
  }
}

TEST(GoldenRunFileTest, ReadsAndIsWrittenTheSameWayAgain) {
  const std::string text = ReadGolden("run_file.jsonl");
  std::string written;
  for (const std::string& line : GoldenRunFile()) written += line + "\n";
  EXPECT_EQ(text, written);

  absl::StatusOr<ReadRun> run = ReadRunFile(std::string(GOLDEN) + "/run_file.jsonl");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE(run->error.ok()) << run->error;
  EXPECT_EQ(run->run.run_id(), "h1024_lr1e-2");
  EXPECT_EQ(run->run.schedule().decay(), v1::Schedule::ONE_MINUS_SQRT);
  EXPECT_EQ(run->points, 4);
  EXPECT_EQ(run->segments.size(), 2);
  EXPECT_EQ(run->end->state(), v1::Run::FAILED);
}

}  // namespace
}  // namespace curvecast
