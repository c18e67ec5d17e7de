using System;
using System.Collections.Generic;
using Keras.Datasets;
using Keras.Layers;
using Keras.Models;
using Numpy;
using Python.Runtime;

namespace Kit.Workload
{
    internal static partial class Bindings
    {
        public static IBinding Open() => new KerasNetBinding();
    }

    /// <summary>
    /// The paper's own binding, Keras.NET, used as published. What Keras.NET does
    /// not offer (staging, hashes, versions) goes through the pythonnet under it.
    /// </summary>
    internal sealed class KerasNetBinding : IBinding
    {
        private readonly Harness harness;

        private NDarray? trainImages;
        private NDarray? trainLabels;
        private Sequential? model;
        private Keras.Callbacks.History? history;

        public KerasNetBinding()
        {
            // Keras.NET would do it at its first use; staging comes before that.
            PythonEngine.Initialize();
            harness = new Harness();
        }

        public void StageData(string dataset) => harness.StageData(dataset);

        public void RequireDevice(string variant) => harness.RequireDevice(variant);

        public void WatchPlacement() => harness.WatchPlacement();

        public void MakeDeterministic(int seed) => harness.MakeDeterministic(seed);

        public void LoadData(Work work)
        {
            ((NDarray images, NDarray labels) train, (NDarray images, NDarray labels) test) = Load(work.Dataset);
            trainImages = train.images / work.Scale;
            trainLabels = train.labels;
            // Not used, as published: the division costs memory in every repeat.
            _ = test.images / work.Scale;
        }

        public void BuildModel(Work work)
        {
            model = new Sequential();
            foreach (Layer layer in work.Layers)
            {
                model.Add(NewLayer(layer));
            }

            model.Compile(work.Optimizer, work.Loss, work.Metrics);
        }

        public string BuildAndHashWeights() => harness.BuildAndHashWeights(model!.ToPython(), trainImages!.self);

        public void WatchFit() => harness.WatchFit();

        public long InnerNanoseconds() => harness.InnerNanoseconds();

        public void Fit(int batchSize, int epochs, bool progress) =>
            history = progress
                ? model!.Fit(trainImages, trainLabels, batch_size: batchSize, epochs: epochs)
                : model!.Fit(trainImages, trainLabels, batch_size: batchSize, epochs: epochs, verbose: 0);

        public History LastHistory()
        {
            Dictionary<string, double[]> logs = history!.HistoryLogs;
            return new History(logs[History.LossKey], logs[History.AccuracyKey]);
        }

        public string IdentityJson(string dataset, string initialWeights, bool deep) =>
            harness.IdentityJson(
                dataset, trainImages!.self, trainLabels!.self, model!.ToPython(), initialWeights, deep);

        public string DeviceJson(bool deep) => harness.DeviceJson(model!.ToPython(), deep);

        public string CgroupJson() => harness.CgroupJson();

        public string VersionsJson() =>
            harness.VersionsJson(Harness.NameAndVersion("Keras.NET", typeof(Sequential)));

        public string SpecSha256(string variable) => Harness.Sha256OfVariable(variable);

        public void FlushOutput() => Harness.FlushOutput();

        private static ((NDarray images, NDarray labels), (NDarray images, NDarray labels)) Load(string dataset) =>
            dataset switch
            {
                "fashion_mnist" => FashionMNIST.LoadData(),
                "mnist" => MNIST.LoadData(),
                _ => throw new ArgumentOutOfRangeException(nameof(dataset), dataset, "no such data set"),
            };

        private static BaseLayer NewLayer(Layer layer) =>
            layer.IsFlatten ? (BaseLayer)new Flatten() : new Dense(layer.Units, null, layer.Activation);
    }
}
