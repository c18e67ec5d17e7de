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

        /// <summary>
        /// Nothing but the binding's fit is between the two readings of the inner
        /// clock: the history becomes numbers after the last reading.
        /// </summary>
        public static Fit Measure(IBinding binding, Work work, int index)
        {
            int batchSize = work.BatchSize;
            int epochs = work.Epochs;

            long residentBefore = Counters.ResidentBytes();
            Counters before = Counters.Read();
            long paperStart = Clocks.Paper();
            long start = Clocks.Monotonic();
            binding.Fit(batchSize, epochs);
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
            };
        }
    }
}
