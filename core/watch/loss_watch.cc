#include "core/watch/loss_watch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/watch/budget.h"

namespace curvecast {
namespace {

// Constants with their origin: README.md.
constexpr double kSpread = 0.8;         // The prior's spread over that of finished runs.
constexpr double kStrayPart = 0.3;      // Of the prior's stray: the rest lies within one run's own smooth course.
constexpr double kYouthSteps = 20;      // Steps; squared over the step it is what a young curve may lie off the law.
constexpr double kYouthShare = 0.005;   // The same in x, where a step has no size.
constexpr double kMostYouth = 0.1;      // Log loss.
constexpr double kSmallJump = 0.05;     // Of the relative rate, from one point to the next: more is a step ...
constexpr double kJolt = 0.05;          // ... and log loss for each unit of it that the law may be off then.
constexpr double kReach = 4;            // Standard deviations that a bin may lie off and still teach.
constexpr double kNoiseWorth = 4;       // Points that a first guess of the noise is worth.
constexpr double kLeastNoise = 2e-4;    // Of that guess, log loss.
constexpr double kEarliest = 0.01;      // Share of the run before which nothing is said.
constexpr double kSmoothing = 0.25;     // Weight of the newest level in the mean ...
constexpr double kRateSmoothing = 0.1;  // ... and of the newest rate.
constexpr int64_t kLevelPoints = 24;    // Before the level is known, and anything is said.
constexpr int64_t kNoisePoints = 60;    // Before a change of noise is looked for.
constexpr int64_t kSpikeLife = 8;       // Points, after which it is no spike any more.
// A fall is too good to be true if it comes at once, is large, and the rate did not fall. A curve that sinks below the
// law little by little has a better law.
constexpr int64_t kSudden = 16;
constexpr double kTooGood = 0.02;
constexpr double kTooGoodSds = 4;
constexpr double kHeld = 0.98;
// A flag that has held for so long says what the run now is.
constexpr double kAccepted = 1.3;  // The step over the one where it was raised.
constexpr int64_t kAcceptedPoints = 64;
// A curve that lies as much above the law as the law fell since has stopped.
constexpr double kPlateauLow = 0.6, kPlateauHigh = 1.5;
constexpr double kPlateauSds = 2;

double AtLeastOne(double step) { return std::max(step, 1.0); }
}  // namespace

LossWatch::LossWatch(const Prior& prior, std::string metric, const Plan& plan)
    : prior_(prior), metric_(std::move(metric)), plan_(plan) {}

void LossWatch::Add(Step step, double loss, const Curve& curve, double mean_points, std::vector<FlagChange>& changes) {
  if (track_ == nullptr) Begin(step);
  if (!track_->Covers(step)) {
    Begin(step);
    if (noise_known_) TakeBins(curve, step);
  }
  const FeatureTrack::Place& place = track_->At(static_cast<double>(step));
  if (place.warming) return;
  const Point point{step, std::log(loss), place.share, place.rate, StrayAt(place), place.row};
  if (!noise_known_) {
    learning_.push_back(point);
    if (learning_.size() == kLearn) LearnNoise();
    return;
  }
  SetThresholds(mean_points);
  if (!reference_) reference_.emplace(Expectation(), point.level);
  Advance(point);
  Judge(point, Test(point), changes);
}

void LossWatch::Begin(Step newest) {
  track_ = std::make_unique<FeatureTrack>(plan_, newest);
  stray_ = kin_ != nullptr ? kin_->stray : kStrayPart * prior_.Of(track_->clock().kind()).any().stray;
  reference_.reset();
  before_.reset();
  learning_.clear();
  bank_.Clear();
  spike_test_.Clear();
  divergence_ = {};
  newest_steps_.fill(newest);  // None of a branch that is no more.
}

// What is believed of the curve before its points: what its kin say (not how they bend beside the law: that the stray
// is for), or else the pool of all that the prior was trained on.
Belief LossWatch::Expectation() const {
  if (kin_ != nullptr) return *kin_;
  const Archetype& any = prior_.Of(track_->clock().kind()).any();
  Belief belief = any.loose;
  belief.mean = any.MeanOf(TraitsOf(track_->plan(), track_->clock()));
  belief.covariance *= kSpread * kSpread;
  return belief;
}

double LossWatch::StrayAt(const FeatureTrack::Place& place) const {
  const double young = place.sized ? kYouthSteps / place.step : kYouthShare / place.share;
  const double off = std::min(young * young, kMostYouth);
  return std::sqrt(stray_ * stray_ + off * off);
}

void LossWatch::LearnNoise() {
  std::vector<double> levels;
  for (const Point& point : learning_) levels.push_back(point.level);
  noise_ = Noise(std::max(GuessScale(levels), kLeastNoise), kNoiseWorth);
  noise_known_ = true;
  smooth_ = learning_.front().level;
  recent_rate_ = rate_ = learning_.front().rate;
  reference_.emplace(Expectation(), learning_.front().level);
  for (const Point& point : std::exchange(learning_, {})) {
    Advance(point);
    Take(point, Test(point), false);
  }
}

void LossWatch::Relearn(const Plan& plan, const Curve& curve) {
  plan_ = plan;
  track_ = nullptr;
  if (curve.points() == 0) return Begin(0);
  Begin(curve.last_step());
  if (noise_known_) TakeBins(curve, kMaxStep);
}

// Learns from what the curve held before a step.
void LossWatch::TakeBins(const Curve& curve, Step before) {
  const double sd = noise_.point_sd();
  for (const Bin& bin : curve.bins()) {
    const double loss = objective_.ToLoss(bin.mean);
    if (bin.last_step >= before || !(loss > 0)) continue;
    const FeatureTrack::Place& place = track_->At(bin.mean_step);
    if (place.warming) continue;
    const double level = std::log(loss);
    if (!reference_) {
      reference_.emplace(Expectation(), level);
      smooth_ = level;
    }
    reference_->Advance(AtLeastOne(bin.mean_step), StrayAt(place));
    const Reference::Expected expected = reference_->Expect(place.row, FeatureRow::Zero(), 0);
    const double noise = sd * sd / static_cast<double>(bin.count);
    const double reach = kReach * std::sqrt(expected.variance + noise);
    smooth_ += kSmoothing * (level - smooth_);
    divergence_.Add(level, smooth_, expected.value, noise_.mean_sd(), place.rate);
    rate_ = place.rate;
    reference_->Update(expected, std::clamp(level - expected.value, -reach, reach), noise);
  }
  if (!incident_ || !reference_) return;
  // The bins hold the deviation that is flagged, and the old reference's coefficients are those of other features.
  Reference frozen = *reference_;
  frozen.Shift(-incident_->sign() * incident_->excess());
  incident_->Freeze(frozen);
}

void LossWatch::Advance(const Point& point) {
  reference_->Advance(AtLeastOne(static_cast<double>(point.step)), point.stray);
  const double jump = std::fabs(point.rate - rate_) - kSmallJump;
  if (jump > 0) reference_->Jolt(kJolt * jump);
  rate_ = point.rate;
}

LossWatch::Tested LossWatch::Test(const Point& point) const {
  static const FeatureRow kNothing = FeatureRow::Zero();
  Tested t;
  t.reference = reference_->Level(point.row);
  t.correlation = before_ ? noise_.correlation() : 0;
  t.expected = reference_->Expect(point.row, before_ ? before_->row : kNothing, t.correlation);
  t.noise = before_ ? noise_.variance() : noise_.point_sd() * noise_.point_sd();
  t.total = t.expected.variance + t.noise;
  const double seen = point.level - (before_ ? t.correlation * before_->level : 0);
  const double wide = std::sqrt(t.total), clip = noise_.tail().clip();
  t.z = (seen - t.expected.value) / wide;
  t.innovation = std::clamp(t.z, -clip, clip) * wide;
  return t;
}

// What the point teaches.
void LossWatch::Take(const Point& point, const Tested& tested, bool flagged) {
  bank_.Add({tested.expected, tested.innovation, tested.total, tested.correlation, point.step, tested.reference});
  reference_->Update(tested.expected, tested.innovation, tested.noise);
  Teach({tested.z, tested.noise / tested.total, flagged});
  before_ = point;
  before_->level -= tested.z * std::sqrt(tested.total) - tested.innovation;
  smooth_ += kSmoothing * (before_->level - smooth_);
  recent_rate_ += kRateSmoothing * (point.rate - recent_rate_);
  if (tested_ >= kLevelPoints) {
    divergence_.Add(point.level, smooth_, tested.reference, noise_.mean_sd(), point.rate);
  }
  newest_steps_ = {point.step, newest_steps_[0], newest_steps_[1]};
  ++tested_;
}

// Late, so that what begins to go wrong does not pass for noise before it is found.
void LossWatch::Teach(const Lesson& lesson) {
  Lesson& place = lessons_[lessons_next_];
  if (lessons_waiting_ == kLate) {
    if (!place.flagged) noise_.Add(place.z, place.noise_part);
  } else {
    ++lessons_waiting_;
  }
  place = lesson;
  lessons_next_ = (lessons_next_ + 1) % kLate;
}

void LossWatch::SetThresholds(double mean_points) {
  const bool same = std::fabs(mean_points - mean_points_) < 0.05 * mean_points;
  if (same && noise_.tail().model() == tail_model_) return;
  mean_points_ = mean_points;
  tail_model_ = noise_.tail().model();
  spike_test_.SetMeanPoints(mean_points / BudgetShares::kSpike, noise_.tail());
  log_above_ = std::log(mean_points / BudgetShares::kAbove);
  log_below_ = std::log(mean_points / BudgetShares::kBelow);
  log_noise_ = std::log(mean_points / BudgetShares::kNoise);
}

void LossWatch::Judge(const Point& point, const Tested& tested, std::vector<FlagChange>& changes) {
  const std::optional<SpikeTest::Finding> spike = spike_test_.Add(noise_.NormalScore(tested.z), tested.correlation);
  speaks_ = point.share >= kEarliest && tested_ >= kLevelPoints;
  const bool opens_spike = spike && !incident_ && speaks_;
  const std::optional<Reference> untouched = opens_spike ? reference_ : std::nullopt;
  Take(point, tested, incident_ || spike);
  const double level = incident_ ? incident_->frozen().Level(point.row) : tested.reference;
  const double off = (point.level - level) / noise_.point_sd();
  deviation_ = deviation_.value_or(off) + kSmoothing * (off - deviation_.value_or(off));
  if (!speaks_) return;
  if (incident_) return Follow(point, changes);

  if (opens_spike) {
    reference_ = untouched;  // It teaches nothing.
    return OpenSpike(point, *spike, changes);
  }
  if (divergence_.diverging()) return OpenDivergence(point, tested.reference, changes);
  for (const ChangeBank::Side side : {ChangeBank::Side::kUp, ChangeBank::Side::kDown}) {
    const double threshold = side == ChangeBank::Side::kUp ? log_above_ : log_below_;
    const auto found = bank_.Find(side, threshold, noise_.point_sd(), noise_.tail().largest_shift());
    if (found) return OpenChange(point, side, *found, changes);
  }
  // Heavy tails scatter by themselves, and where there is no noise there is none that changes.
  const bool normal = noise_.tail().model() + 1 == Tail::kModels;
  if (tested_ < kNoisePoints || !normal || noise_.point_sd() < kLeastNoise) return;
  if (const auto found = noise_change_.Add(tested.z, log_noise_)) TellNoise(point, *found, changes);
}

// A rate that is not known may have been changed on purpose, and a run without an end has no law to leave: what bends
// the curve, or moves it a little, is then no more than a hint.
Severity LossWatch::GravityOf(FlagKind kind) const {
  if (kind == FlagKind::kDivergence) return Severity::kCritical;
  const bool lawless = !plan_.total_steps || track_->clock().kind() == RateKind::kUnknown;
  const bool hint = kind == FlagKind::kNoiseChange || (lawless && kind != FlagKind::kSpike);
  return hint ? Severity::kInfo : Severity::kWarning;
}

Flag LossWatch::FlagOf(FlagKind kind, Step began, const Point& point) const {
  Flag flag;
  flag.kind = kind;
  flag.severity = GravityOf(kind);
  flag.metric = metric_;
  flag.began_step = began;
  flag.raised_step = flag.updated_step = point.step;
  flag.evidence.sigma = std::min(noise_.point_sd() * std::exp(point.level), std::numeric_limits<double>::max());
  return flag;
}

void LossWatch::OpenSpike(const Point& point, const SpikeTest::Finding& found, std::vector<FlagChange>& changes) {
  const double expected = reference_->Level(point.row);
  Flag flag = FlagOf(FlagKind::kSpike, newest_steps_[static_cast<size_t>(found.points_ago)], point);
  Evidence& e = flag.evidence;
  e.statistic = found.statistic;
  e.threshold = found.threshold;
  e.expected = std::exp(expected);
  e.seen = std::exp(point.level);
  e.points = found.points_ago + 1;
  e.share = BudgetShares::kSpike;
  e.mean_points_between_false_alarms = mean_points_ / e.share;
  const double excess = std::max(point.level - expected, 0.0);
  Open({.flag = std::move(flag), .sign = 1, .frozen = *reference_, .excess = excess, .points = e.points}, changes);
}

// The loss has risen, although so slowly, or so early, that the reference followed it.
void LossWatch::OpenDivergence(const Point& point, double reference, std::vector<FlagChange>& changes) {
  const double expected = divergence_.lowest();
  Flag flag = FlagOf(FlagKind::kDivergence, newest_steps_.back(), point);
  Evidence& e = flag.evidence;
  e.statistic = divergence_.rise();
  e.threshold = divergence_.threshold();
  e.expected = std::exp(expected);
  e.seen = std::exp(point.level);
  e.points = static_cast<int64_t>(newest_steps_.size());
  Reference frozen = *reference_;
  frozen.Shift(expected - reference);
  const double excess = std::max(divergence_.rise(), 0.0);
  Open({.flag = std::move(flag), .sign = 1, .frozen = frozen, .excess = excess, .points = e.points}, changes);
}

void LossWatch::OpenChange(const Point& point, ChangeBank::Side side, const ChangeBank::Finding& found,
                           std::vector<FlagChange>& changes) {
  const bool up = side == ChangeBank::Side::kUp, step = found.course == ChangeBank::Course::kStep;
  const double sd = noise_.point_sd(), excess = std::fabs(found.amplitude);
  Reference clean = *reference_;
  clean.Correct(found.effect);
  // From here on the tests go on from where the curve now is.
  reference_ = clean;
  reference_->LoosenLevel(std::max(excess, sd));
  bank_.Clear();
  const bool sudden = step && found.points <= kSudden && point.rate > kHeld * recent_rate_;
  if (!up && !(sudden && excess > std::max(kTooGood, kTooGoodSds * sd))) return;

  const double expected = clean.Level(point.row), fell = found.level - expected;
  const bool stopped = !step && fell > kPlateauSds * sd && excess > kPlateauLow * fell && excess < kPlateauHigh * fell;
  const FlagKind above = step ? FlagKind::kShift : stopped ? FlagKind::kPlateau : FlagKind::kDrift;
  Flag flag = FlagOf(up ? above : FlagKind::kTooGood, found.began, point);
  Evidence& e = flag.evidence;
  e.statistic = found.log_evidence;
  e.threshold = up ? log_above_ : log_below_;
  e.expected = std::exp(expected);
  e.seen = std::exp(expected + found.amplitude);
  e.points = found.points;
  e.share = up ? BudgetShares::kAbove : BudgetShares::kBelow;
  e.mean_points_between_false_alarms = mean_points_ / e.share;
  Open({.flag = std::move(flag), .sign = up ? 1.0 : -1.0, .frozen = clean, .excess = excess, .points = found.points},
       changes);
}

// It is told and done with: from here on the noise is learned anew.
void LossWatch::TellNoise(const Point& point, const NoiseChange::Finding& found, std::vector<FlagChange>& changes) {
  Flag flag = FlagOf(FlagKind::kNoiseChange, point.step, point);
  Evidence& e = flag.evidence;
  e.statistic = found.statistic;
  e.threshold = log_noise_;
  e.expected = e.sigma;
  e.seen = found.factor * e.sigma;
  e.points = found.points;
  e.share = BudgetShares::kNoise;
  e.mean_points_between_false_alarms = mean_points_ / e.share;
  changes.push_back({FlagChange::What::kRaised, flag});
  flag.resolution = Resolution::kAccepted;
  changes.push_back({FlagChange::What::kResolved, flag});
  noise_.Rescale(found.factor, kNoiseWorth);
  lessons_waiting_ = 0;
}

void LossWatch::Open(Incident::Opened opened, std::vector<FlagChange>& changes) {
  incident_.emplace(std::move(opened));
  changes.push_back({FlagChange::What::kRaised, incident_->flag()});
  bank_.Clear();
}

void LossWatch::Follow(const Point& point, std::vector<FlagChange>& changes) {
  Incident& now = *incident_;
  now.Add(point.level, point.row, noise_.point_sd());
  now.flag().updated_step = std::max(point.step, now.flag().updated_step);  // After a rewind it may lie below.
  if (now.recovered()) {
    const double left = std::fabs(now.excess());
    Close(Resolution::kRecovered, changes);
    reference_->LoosenLevel(std::max(left, noise_.point_sd()));
    return;
  }
  const FlagKind kind = now.flag().kind;
  if (now.sign() > 0 && kind != FlagKind::kDivergence && divergence_.diverging()) {
    reference_->LoosenLevel(std::fabs(now.excess()));
    return Replace(FlagKind::kDivergence, Severity::kCritical, changes);
  }
  if (kind == FlagKind::kSpike && now.since_raised() >= kSpikeLife) {
    if (!now.persists(noise_.point_sd())) return Close(Resolution::kRecovered, changes);
    reference_->LoosenLevel(now.excess());  // The tests go on from where the curve now is.
    return Replace(FlagKind::kShift, GravityOf(FlagKind::kShift), changes);
  }
  const bool may_be_accepted = kind == FlagKind::kShift || kind == FlagKind::kDrift || kind == FlagKind::kTooGood;
  if (may_be_accepted && now.since_raised() >= kAcceptedPoints &&
      static_cast<double>(point.step) > kAccepted * static_cast<double>(now.flag().raised_step)) {
    Close(Resolution::kAccepted, changes);
  }
}

void LossWatch::Replace(FlagKind kind, Severity severity, std::vector<FlagChange>& changes) {
  Flag& flag = incident_->flag();
  flag.resolution = Resolution::kReplaced;
  changes.push_back({FlagChange::What::kResolved, flag});
  flag.resolution = Resolution::kActive;
  flag.kind = kind;
  flag.severity = severity;
  flag.raised_step = flag.updated_step;
  Evidence& e = flag.evidence;
  e.points = incident_->points();
  e.expected = std::exp(incident_->expected());
  e.seen = std::exp(incident_->expected() + incident_->sign() * incident_->excess());
  if (kind == FlagKind::kDivergence) {
    e.statistic = divergence_.rise();
    e.threshold = divergence_.threshold();
  }
  changes.push_back({FlagChange::What::kRaised, flag});
}

void LossWatch::Close(Resolution resolution, std::vector<FlagChange>& changes) {
  incident_->flag().resolution = resolution;
  changes.push_back({FlagChange::What::kResolved, incident_->flag()});
  incident_.reset();
  bank_.Clear();
  spike_test_.Clear();
}

void LossWatch::Supersede(Step from, std::vector<FlagChange>& changes) {
  if (incident_ && incident_->flag().raised_step >= from) Close(Resolution::kSuperseded, changes);
}

}  // namespace curvecast
