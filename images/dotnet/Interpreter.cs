using System;
using System.Runtime.InteropServices;

namespace Kit.Workload
{
    /// <summary>Something of the machine that the program cannot do without.</summary>
    internal sealed class MissingException : Exception
    {
        public MissingException(string what)
            : base(what)
        {
        }
    }

    /// <summary>The Python that the bindings load: both are nothing without it.</summary>
    internal static class Interpreter
    {
        private const string LibraryVariable = "KIT_LIBPYTHON";

        /// <summary>Said plainly before a binding fails over it in its own words.</summary>
        public static void RequireLibrary()
        {
            string? library = Environment.GetEnvironmentVariable(LibraryVariable);
            if (library != null && !NativeLibrary.TryLoad(library, out _))
            {
                throw new MissingException(library);
            }
        }
    }
}
