using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;

namespace Kit.Workload
{
    /// <summary>Writes what one run has to say; see the kit's record schema.</summary>
    internal static class Record
    {
        private const int Schema = 1;

        /// <summary>Under a temporary name, synced, renamed: a torn record never looks whole.</summary>
        public static void Write(
            Spec spec,
            string specSha256,
            JsonElement versions,
            JsonElement identity,
            JsonElement device,
            IEnumerable<Fit> fits,
            JsonElement cgroup)
        {
            string folder = Environment.GetEnvironmentVariable("KIT_RESULTS") ?? "/results";
            string path = Path.Combine(folder, "record.json");
            string part = path + ".part";
            using (FileStream stream = File.Create(part))
            {
                using (var json = new Utf8JsonWriter(stream))
                {
                    json.WriteStartObject();
                    json.WriteNumber("schema", Schema);
                    json.WriteString("run_id", spec.RunId);
                    json.WriteString("arm", spec.Arm);
                    json.WriteString("kind", spec.Kind);
                    json.WriteString("spec_sha256", specSha256);
                    WriteElement(json, "versions", versions);
                    WriteElement(json, "identity", identity);
                    WriteClock(json);
                    WriteElement(json, "device", device);
                    WriteFits(json, fits);
                    WriteElement(json, "cgroup", cgroup);
                    json.WriteBoolean("complete", true);
                    json.WriteEndObject();
                }

                stream.Flush(flushToDisk: true);
            }

            File.Move(part, path, overwrite: true);
        }

        private static void WriteElement(Utf8JsonWriter json, string name, JsonElement value)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }

        private static void WriteClock(Utf8JsonWriter json)
        {
            json.WriteStartObject("clock");
            json.WriteString("name", Clocks.MonotonicName);
            json.WriteNumber("resolution_ns", Clocks.MonotonicResolutionNanoseconds);
            json.WriteEndObject();
        }

        private static void WriteFits(Utf8JsonWriter json, IEnumerable<Fit> fits)
        {
            json.WriteStartArray("fits");
            foreach (Fit fit in fits)
            {
                json.WriteStartObject();
                json.WriteNumber("index", fit.Index);
                json.WriteNumber("wall_ns", fit.WallNanoseconds);
                json.WriteNumber("paper_clock_s", fit.PaperClockSeconds);
                json.WriteNumber("user_ns", fit.UserNanoseconds);
                json.WriteNumber("system_ns", fit.SystemNanoseconds);
                json.WriteNumber("minor_faults", fit.MinorFaults);
                json.WriteNumber("rss_before_bytes", fit.ResidentBefore);
                json.WriteNumber("rss_after_bytes", fit.ResidentAfter);
                WriteNumbers(json, "losses", fit.Losses);
                WriteNumbers(json, "accuracies", fit.Accuracies);
                if (fit.InnerNanoseconds is long inner)
                {
                    json.WriteNumber("inner_ns", inner);
                }
                else
                {
                    json.WriteNull("inner_ns");
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<double> numbers)
        {
            json.WriteStartArray(name);
            foreach (double number in numbers)
            {
                json.WriteNumberValue(number);
            }

            json.WriteEndArray();
        }
    }
}
