#include "client/cli/picture/flag_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/cli/picture/flag_marks.h"
#include "client/cli/picture/style_sheet.h"
#include "client/cli/picture/text_fit.h"

namespace curvecast {
namespace {

constexpr size_t kMostRows = 30;
constexpr size_t kMostLines = 3;  // Of one sentence.
constexpr double kTitleHeight = 26;
constexpr double kLineHeight = 16;
constexpr double kRowGap = 7;
constexpr double kIndent = 18;
constexpr double kBodySize = 12;

std::string WhenText(const Flag& flag) {
  std::string when = fmt::format("since step {}", flag.began_step);
  if (!flag.active())
    when = fmt::format("step {}, {} at {}", flag.began_step, ResolutionText(flag.resolution), flag.updated_step);
  return when + (flag.metric.empty() ? "" : " · " + flag.metric);
}

// At most `count`, in the order in which they were raised.
std::vector<const PictureFlag*> Gravest(const std::vector<PictureFlag>& flags, size_t count) {
  std::vector<const PictureFlag*> chosen;
  for (const PictureFlag& flag : flags) chosen.push_back(&flag);
  if (chosen.size() <= count) return chosen;
  std::stable_sort(chosen.begin(), chosen.end(), [](const PictureFlag* a, const PictureFlag* b) {
    return std::pair(!a->flag.active(), b->flag.severity) < std::pair(!b->flag.active(), a->flag.severity);
  });
  chosen.resize(count);
  std::sort(chosen.begin(), chosen.end());  // They lie in one vector, in order.
  return chosen;
}

}  // namespace

std::string ResolutionText(Resolution resolution) {
  std::string text(NameOf(resolution));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return text;
}

FlagList::FlagList(const std::vector<PictureFlag>& flags, double left, double right) : left_(left), right_(right) {
  for (const PictureFlag* flag : Gravest(flags, kMostRows)) {
    const double width = right - left - kIndent;
    std::vector<std::string> lines = Wrapped(flag->sentence, width, kBodySize, kMostLines);
    if (!flag->note.empty()) lines.push_back(Shortened(flag->note, width, kBodySize));
    rows_.push_back({flag, std::move(lines)});
  }
  hidden_ = flags.size() - rows_.size();
}

double FlagList::height() const {
  double height = kTitleHeight;
  if (rows_.empty()) return height;
  for (const Row& row : rows_) height += kLineHeight * static_cast<double>(1 + row.lines.size()) + kRowGap;
  return height + (hidden_ > 0 ? kLineHeight : 0);
}

void FlagList::Draw(double top, SvgWriter& svg) const {
  svg.Text("strong", {left_, top + 14}, rows_.empty() ? "No flag was raised." : "Flags");
  double y = top + kTitleHeight;
  for (const Row& row : rows_) {
    const Flag& flag = row.flag->flag;
    svg.Open("g", fmt::format("class=\"{}\"", LookOf(flag.severity)));
    svg.Circle(flag.active() ? "ring fill" : "ring", {left_ + 5, y + 7.5}, 4.2);
    svg.Texts("tag list", {left_ + kIndent, y + 12}, FlagTag(*row.flag), "facts", WhenText(flag));
    svg.Close("g");
    for (const std::string& line : row.lines) svg.Text("body", {left_ + kIndent, (y += kLineHeight) + 12}, line);
    y += kLineHeight + kRowGap;
  }
  if (hidden_ > 0) svg.Text("facts", {left_ + kIndent, y + 10}, fmt::format("and {} more", hidden_));
}

}  // namespace curvecast
