using System.Collections.Generic;

namespace Kit.Workload
{
    /// <summary>
    /// What the program asks of a Python binding. A binding holds the data and the
    /// model of the current repeat, so no binding's types show outside it.
    /// </summary>
    internal interface IBinding
    {
        /// <exception cref="SpecException">The image does not hold this data set.</exception>
        void StageData(string dataset);

        /// <summary>Fails where a cuda run sees no GPU: TensorFlow would fall back in silence.</summary>
        void RequireDevice(string variant);

        /// <summary>For identity runs only.</summary>
        void MakeDeterministic(int seed);

        /// <summary>Keep the graphs that are run from now on. For identity runs only.</summary>
        void WatchPlacement();

        /// <summary>Load and scale: the published program does both in every repeat.</summary>
        void LoadData(Work work);

        /// <summary>A new compiled model. No input shape is given: it is built inside the fit.</summary>
        void BuildModel(Work work);

        /// <summary>Build the model before the fit after all; the hash of its weights.</summary>
        string BuildAndHashWeights();

        /// <summary>Time every fit inside keras too. For probe runs only.</summary>
        void WatchFit();

        /// <summary>Of the last fit, as seen inside keras.</summary>
        long InnerNanoseconds();

        /// <summary>The timed call. As published its progress output is on.</summary>
        void Fit(int batchSize, int epochs, bool progress);

        History LastHistory();

        /// <summary>The record's identity object.</summary>
        /// <param name="initialWeights">Empty where the model is built inside the fit.</param>
        /// <param name="deep">Hash the mapped libraries and check the wheels as well.</param>
        string IdentityJson(string dataset, string initialWeights, bool deep);

        /// <summary>The record's device object, after a fit.</summary>
        /// <param name="deep">Count the ops by device as well.</param>
        string DeviceJson(bool deep);

        /// <summary>The record's cgroup object: what limited the CPUs since the binding was opened.</summary>
        string CgroupJson();

        string VersionsJson();

        /// <summary>Of the bytes of this environment variable.</summary>
        string SpecSha256(string variable);

        /// <summary>Python's own buffers; the program ends without its teardown.</summary>
        void FlushOutput();
    }

    /// <summary>Loss and accuracy of each epoch of a fit.</summary>
    internal sealed class History
    {
        public const string LossKey = "loss";
        public const string AccuracyKey = "accuracy";

        public History(IReadOnlyList<double> losses, IReadOnlyList<double> accuracies)
        {
            Losses = losses;
            Accuracies = accuracies;
        }

        public IReadOnlyList<double> Losses { get; }

        public IReadOnlyList<double> Accuracies { get; }
    }

    /// <summary>The binding this program was built with: its own file adds Open().</summary>
    internal static partial class Bindings
    {
    }
}
