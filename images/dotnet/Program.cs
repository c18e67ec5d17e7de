using System;
using System.Collections.Generic;
using System.Text.Json;

namespace Kit.Workload
{
    /// <summary>
    /// The workload program of the .NET arms: one spec in, one record out.
    /// Its twin is the Python program; both take the same steps in the same order.
    /// </summary>
    internal static class Program
    {
        // sysexits.h: EX_USAGE, EX_UNAVAILABLE and EX_SOFTWARE.
        private const int ExitBadSpec = 64;
        private const int ExitMissing = 69;
        private const int ExitFailed = 70;

        private static void Main() => Libc.ExitNow(Guarded(Run));

        private static void Run()
        {
            Spec spec = Spec.FromEnvironment();
            Interpreter.RequireLibrary();
            IBinding binding = Bindings.Open();
            binding.StageData(spec.Work.Dataset);
            binding.RequireDevice(spec.Variant);
            if (spec.IsIdentityRun)
            {
                binding.MakeDeterministic(spec.Seed);
                binding.WatchPlacement();
            }

            if (spec.Conditions.Probe)
            {
                binding.WatchFit();
            }

            var fits = new List<Fit>();
            JsonElement? identity = null;
            JsonElement device = default;
            for (int index = 0; index < spec.Repeats; index++)
            {
                binding.LoadData(spec.Work);
                binding.BuildModel(spec.Work);
                string initialWeights = spec.IsIdentityRun ? binding.BuildAndHashWeights() : "";
                fits.Add(Fit.Measure(binding, spec.Work, spec.Conditions, index));
                identity ??= Json(binding.IdentityJson(spec.Work.Dataset, initialWeights, spec.IsIdentityRun));
                device = Json(binding.DeviceJson(spec.IsIdentityRun));
            }

            JsonElement versions = Json(binding.VersionsJson());
            JsonElement cgroup = Json(binding.CgroupJson());
            Record.Write(spec, binding.SpecSha256(Spec.Variable), versions, identity!.Value, device, fits, cgroup);
            binding.FlushOutput();
        }

        private static int Guarded(Action run)
        {
            try
            {
                run();
                return 0;
            }
            catch (SpecException error)
            {
                Console.Error.WriteLine("spec: not usable: " + error.Message);
                return ExitBadSpec;
            }
            catch (MissingException error)
            {
                Console.Error.WriteLine("missing: " + error.Message);
                return ExitMissing;
            }
            catch (Exception error)
            {
                Console.Error.WriteLine(error);
                return ExitFailed;
            }
        }

        private static JsonElement Json(string text)
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
    }
}
