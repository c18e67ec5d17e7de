using System;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;

namespace Kit.Workload
{
    /// <summary>What the kernel counts for this process. Read outside the timer.</summary>
    internal readonly struct Counters
    {
        private const int Self = 0;

        private Counters(in Usage usage)
        {
            UserNanoseconds = usage.User.Nanoseconds;
            SystemNanoseconds = usage.System.Nanoseconds;
            MinorFaults = usage.MinorFaults;
        }

        public long UserNanoseconds { get; }

        public long SystemNanoseconds { get; }

        public long MinorFaults { get; }

        public static Counters Read()
        {
            if (GetUsage(Self, out Usage usage) != 0)
            {
                throw new IOException("getrusage failed");
            }

            return new Counters(usage);
        }

        /// <summary>Resident memory: the second number of statm, in pages.</summary>
        public static long ResidentBytes()
        {
            string pages = File.ReadAllText("/proc/self/statm").Split(' ')[1];
            return long.Parse(pages, CultureInfo.InvariantCulture) * Environment.SystemPageSize;
        }

        [DllImport(Libc.Name, EntryPoint = "getrusage")]
        private static extern int GetUsage(int who, out Usage usage);

        [StructLayout(LayoutKind.Sequential)]
        private readonly struct Time
        {
            private readonly long seconds;
            private readonly long microseconds;

            public long Nanoseconds => (seconds * 1_000_000_000) + (microseconds * 1_000);
        }

        /// <summary>struct rusage; the size is that of all its 18 words, only the first ones are named.</summary>
        [StructLayout(LayoutKind.Sequential, Size = 18 * sizeof(long))]
        private readonly struct Usage
        {
            public readonly Time User;
            public readonly Time System;
            private readonly long maximumResident;
            private readonly long sharedText;
            private readonly long unsharedData;
            private readonly long unsharedStack;
            public readonly long MinorFaults;
        }
    }

    internal static class Libc
    {
        /// <summary>By its soname: the plain name is a linker script where compilers are installed.</summary>
        public const string Name = "libc.so.6";

        /// <summary>No teardown of the two runtimes, which can wait for each other for ever.</summary>
        [DllImport(Name, EntryPoint = "_exit")]
        public static extern void ExitNow(int status);
    }
}
