using System.Collections.Generic;

namespace Kit.Workload
{
    /// <summary>One timed fit, as the record has it.</summary>
    internal sealed class Fit
    {
        private Fit(int index, History history)
        {
            Index = index;
            Losses = history.Losses;
            Accuracies = history.Accuracies;
        }

        public int Index { get; }

        public long WallNanoseconds { get; private set; }

        public double PaperClockSeconds { get; private set; }

        public long UserNanoseconds { get; private set; }

        public long SystemNanoseconds { get; private set; }

        public long MinorFaults { get; private set; }

        public long ResidentBefore { get; private set; }

        public long ResidentAfter { get; private set; }

        public IReadOnlyList<double> Losses { get; }

        public IReadOnlyList<double> Accuracies { get; }

        /// <summary>Inside keras, without the binding; null where no probe watched.</summary>
        public long? InnerNanoseconds { get; private set; }

        /// <summary>
        /// Nothing but the binding's fit is between the two readings of the inner
        /// clock: the history becomes numbers after the last reading.
        /// </summary>
        public static Fit Measure(IBinding binding, Work work, Conditions conditions, int index)
        {
            int batchSize = work.BatchSize;
            int epochs = work.Epochs;
            bool progress = conditions.Progress;
            double slowdown = conditions.SlowdownPercent;

            long residentBefore = Counters.ResidentBytes();
            Counters before = Counters.Read();
            long paperStart = Clocks.Paper();
            long start = Clocks.Monotonic();
            binding.Fit(batchSize, epochs, progress);
            if (slowdown > 0)
            {
                WaitLonger(start, slowdown);
            }

            long stop = Clocks.Monotonic();
            long paperStop = Clocks.Paper();
            Counters after = Counters.Read();
            long residentAfter = Counters.ResidentBytes();

            return new Fit(index, binding.LastHistory())
            {
                WallNanoseconds = Clocks.MonotonicNanoseconds(start, stop),
                PaperClockSeconds = Clocks.PaperSeconds(paperStart, paperStop),
                UserNanoseconds = after.UserNanoseconds - before.UserNanoseconds,
                SystemNanoseconds = after.SystemNanoseconds - before.SystemNanoseconds,
                MinorFaults = after.MinorFaults - before.MinorFaults,
                ResidentBefore = residentBefore,
                ResidentAfter = residentAfter,
                InnerNanoseconds = conditions.Probe ? binding.InnerNanoseconds() : (long?)null,
            };
        }

        /// <summary>Wait, busily as a fit is, until so much more time has passed since the start.</summary>
        private static void WaitLonger(long start, double percent)
        {
            double end = start + ((Clocks.Monotonic() - start) * (1 + (percent / 100)));
            while (Clocks.Monotonic() < end)
            {
            }
        }
    }
}
