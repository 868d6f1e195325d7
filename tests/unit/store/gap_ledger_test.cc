#include "daemon/store/gap_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace curvecast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Rows = CurveKept::Rows;

TEST(GapLedgerTest, BalancesWhenWhatIsMissingIsWhatWasReplaced) {
  GapLedger ledger;
  EXPECT_TRUE(ledger.Balanced());
  ledger.Missing(3, 10);
  EXPECT_FALSE(ledger.Balanced());
  ledger.Replaced({{3, 4}, {7, 7}});
  ledger.Replaced({{5, 6}, {8, 10}});
  EXPECT_TRUE(ledger.Balanced());
}

TEST(GapLedgerTest, TellsOneIdFromAnother) {
  GapLedger ledger;
  ledger.Missing(3, 3);
  ledger.Replaced({{4, 4}});
  EXPECT_FALSE(ledger.Balanced());
}

TEST(GapLedgerTest, LooksAtNothingUpToWhereItBegins) {
  GapLedger ledger(5);
  ledger.Missing(4, 6);
  ledger.Replaced({{1, 6}});
  EXPECT_TRUE(ledger.Balanced());
}

TEST(GapLedgerTest, NamesWhatIsLost) {
  EXPECT_THAT(Lost({{3, 10}, {20, 20}}, {{20, 20}, {8, 10}, {3, 4}}), ElementsAre(Rows{5, 7}));
  EXPECT_THAT(Lost({{3, 10}}, {}), ElementsAre(Rows{3, 10}));
  EXPECT_THAT(Lost({{3, 10}}, {{1, 30}}), IsEmpty());
  EXPECT_THAT(Lost({{1, 5}, {7, 9}}, {{2, 3}, {9, 12}}), ElementsAre(Rows{1, 1}, Rows{4, 5}, Rows{7, 8}));
}

}  // namespace
}  // namespace curvecast
