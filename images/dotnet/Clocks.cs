using System;
using System.Diagnostics;

namespace Kit.Workload
{
    /// <summary>The two clocks of a fit: the paper's own, and the monotonic one.</summary>
    internal static class Clocks
    {
        public const string MonotonicName = nameof(Stopwatch);

        public static double MonotonicResolutionNanoseconds => 1e9 / Stopwatch.Frequency;

        public static long Monotonic() => Stopwatch.GetTimestamp();

        public static long MonotonicNanoseconds(long start, long stop) =>
            (long)Math.Round((stop - start) * MonotonicResolutionNanoseconds);

        public static long Paper() => DateTime.Now.Ticks;

        /// <summary>A tick is 100 ns: the divisor is ten times the one printed in the paper's listing.</summary>
        public static double PaperSeconds(long start, long stop) => (stop - start) / (double)TimeSpan.TicksPerSecond;
    }
}
