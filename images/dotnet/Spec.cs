using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;

namespace Kit.Workload
{
    /// <summary>The spec cannot be used; the message names the field.</summary>
    internal sealed class SpecException : Exception
    {
        public SpecException(string field, string problem)
            : base(field + ": " + problem)
        {
        }
    }

    /// <summary>What one run is told to do; see the kit's spec schema.</summary>
    internal sealed class Spec
    {
        public const string Variable = "KIT_SPEC";
        private const int Schema = 1;

        private Spec(JsonElement json)
        {
            var root = new Field("spec", json);
            int schema = root["schema"].Integer(minimum: 0);
            if (schema != Schema)
            {
                throw new SpecException("schema", $"{schema} is not {Schema}");
            }

            RunId = root["run_id"].Text();
            Arm = root["arm"].Text();
            Variant = root["variant"].OneOf("cpu", "cuda");
            Kind = root["kind"].OneOf("timed", "identity");
            Repeats = root["repeats"].Integer(minimum: 1);
            Seed = IsIdentityRun ? root["seed"].Integer(minimum: 0) : 0;
            Conditions = new Conditions(root["conditions"]);
            Work = new Work(root["workload"]);
        }

        public string RunId { get; }

        public string Arm { get; }

        public string Variant { get; }

        public string Kind { get; }

        public bool IsIdentityRun => Kind == "identity";

        public int Repeats { get; }

        /// <summary>Of an identity run; a timed one is not seeded, as published.</summary>
        public int Seed { get; }

        public Conditions Conditions { get; }

        public Work Work { get; }

        public static Spec FromEnvironment()
        {
            string text = Environment.GetEnvironmentVariable(Variable) ?? "";
            try
            {
                using JsonDocument document = JsonDocument.Parse(text);
                return new Spec(document.RootElement);
            }
            catch (JsonException error)
            {
                throw new SpecException(Variable, "not JSON: " + error.Message);
            }
        }
    }

    /// <summary>What is different about this run.</summary>
    internal sealed class Conditions
    {
        public Conditions(Field json)
        {
            SlowdownPercent = json["slowdown_percent"].NotNegative();
            Progress = json["progress"].Truth();
            Probe = json["probe"].Truth();
            // Asked for or not, this program keeps everything: Keras.NET never lets go.
            json["keep"].Truth();
        }

        /// <summary>A wait made inside the timed region, in percent of the fit.</summary>
        public double SlowdownPercent { get; }

        public bool Progress { get; }

        public bool Probe { get; }
    }

    /// <summary>The workload: data, model and fit.</summary>
    internal sealed class Work
    {
        public Work(Field json)
        {
            Dataset = json["dataset"].OneOf("fashion_mnist");
            Scale = json["scale"].Positive();
            Layers = json["layers"].Items().Select(layer => new Layer(layer)).ToArray();
            Optimizer = json["optimizer"].Text();
            Loss = json["loss"].Text();
            Metrics = json["metrics"].Items().Select(metric => metric.Text()).ToArray();
            BatchSize = json["batch_size"].Integer(minimum: 1);
            Epochs = json["epochs"].Integer(minimum: 1);
        }

        public string Dataset { get; }

        public double Scale { get; }

        public IReadOnlyList<Layer> Layers { get; }

        public string Optimizer { get; }

        public string Loss { get; }

        public string[] Metrics { get; }

        public int BatchSize { get; }

        public int Epochs { get; }
    }

    internal sealed class Layer
    {
        public Layer(Field json)
        {
            IsFlatten = json["type"].OneOf("flatten", "dense") == "flatten";
            Units = IsFlatten ? 0 : json["units"].Integer(minimum: 1);
            Activation = IsFlatten ? "" : json["activation"].Text();
        }

        public bool IsFlatten { get; }

        public int Units { get; }

        public string Activation { get; }
    }

    /// <summary>A JSON value that knows its path, so that every complaint can name it.</summary>
    internal readonly struct Field
    {
        private readonly string path;
        private readonly JsonElement value;

        public Field(string path, JsonElement value)
        {
            this.path = path;
            this.value = value;
        }

        public Field this[string name]
        {
            get
            {
                if (value.ValueKind != JsonValueKind.Object)
                {
                    throw new SpecException(path, "not an object");
                }

                string below = path == "spec" ? name : path + "." + name;
                return value.TryGetProperty(name, out JsonElement child)
                    ? new Field(below, child)
                    : throw new SpecException(below, "missing");
            }
        }

        public string Text() =>
            value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new SpecException(path, "not a string");

        public string OneOf(params string[] known)
        {
            string text = Text();
            return known.Contains(text)
                ? text
                : throw new SpecException(path, $"'{text}' is not one of {string.Join(", ", known)}");
        }

        public int Integer(int minimum) =>
            value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= minimum
                ? number
                : throw new SpecException(path, $"{value.GetRawText()} is not an integer of {minimum} or more");

        public double Positive() =>
            value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number > 0
                ? number
                : throw new SpecException(path, value.GetRawText() + " is not a number above 0");

        public double NotNegative() =>
            value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= 0
                ? number
                : throw new SpecException(path, value.GetRawText() + " is not a number of 0 or more");

        public bool Truth() =>
            value.ValueKind == JsonValueKind.True || value.ValueKind == JsonValueKind.False
                ? value.ValueKind == JsonValueKind.True
                : throw new SpecException(path, value.GetRawText() + " is neither true nor false");

        public IEnumerable<Field> Items()
        {
            if (value.ValueKind != JsonValueKind.Array)
            {
                throw new SpecException(path, "not a list");
            }

            string above = path;
            return value.EnumerateArray().Select((item, index) => new Field($"{above}[{index}]", item));
        }
    }
}
