using System;
using System.Collections.Generic;
using Python.Runtime;

namespace Kit.Workload
{
    internal static partial class Bindings
    {
        public static IBinding Open() => new PythonNetBinding();
    }

    /// <summary>
    /// The substitute for Keras.NET: the same Python calls, made through pythonnet
    /// itself. A Keras.NET program never lets go of what it made: its wrappers hold
    /// a reference each and dispose of none, so resident memory grows with every
    /// repeat and each fit takes fresh pages from the kernel. That shows in system
    /// time and page faults, so the substitute must do it too: everything Keras.NET
    /// would hold is kept to the end of the process.
    /// </summary>
    internal sealed class PythonNetBinding : IBinding
    {
        private readonly List<PyObject> kept = new List<PyObject>();
        private readonly Harness harness;

        // Imported at the first use, as the Python program does: staging comes before it.
        private readonly Lazy<PyObject> keras = new Lazy<PyObject>(() => Py.Import("tensorflow.keras"));

        private PyObject? trainImages;
        private PyObject? trainLabels;
        private PyObject? model;
        private PyObject? history;

        public PythonNetBinding()
        {
            Runtime.PythonDLL = Environment.GetEnvironmentVariable("KIT_LIBPYTHON")
                ?? throw new InvalidOperationException("KIT_LIBPYTHON is not set: it names the Python library");
            // This thread keeps the interpreter lock from here on, as a Keras.NET program does.
            PythonEngine.Initialize();
            harness = new Harness();
        }

        public void StageData(string dataset) => harness.StageData(dataset);

        public void RequireDevice(string variant) => harness.RequireDevice(variant);

        public void WatchPlacement() => harness.WatchPlacement();

        public void MakeDeterministic(int seed) => harness.MakeDeterministic(seed);

        public void LoadData(Work work)
        {
            PyObject module = keras.Value.GetAttr("datasets").GetAttr(work.Dataset);
            PyObject loaded = Keep(module.InvokeMethod("load_data"));
            PyObject train = Keep(loaded[0]);
            PyObject test = Keep(loaded[1]);
            trainImages = Scaled(train, work.Scale);
            trainLabels = Keep(train[1]);
            Scaled(test, work.Scale);
            Keep(test[1]);
        }

        public void BuildModel(Work work)
        {
            PyObject layers = keras.Value.GetAttr("layers");
            model = Keep(keras.Value.GetAttr("models").InvokeMethod("Sequential"));
            foreach (Layer layer in work.Layers)
            {
                model.InvokeMethod("add", Keep(NewLayer(layers, layer)));
            }

            var options = new PyDict();
            options["optimizer"] = new PyString(work.Optimizer);
            options["loss"] = new PyString(work.Loss);
            options["metrics"] = new PyList(Array.ConvertAll(work.Metrics, metric => (PyObject)new PyString(metric)));
            model.InvokeMethod("compile", Array.Empty<PyObject>(), options);
        }

        public string BuildAndHashWeights() => harness.BuildAndHashWeights(model!, trainImages!);

        public void WatchFit() => harness.WatchFit();

        public long InnerNanoseconds() => harness.InnerNanoseconds();

        public void Fit(int batchSize, int epochs, bool progress)
        {
            var options = new PyDict();
            options["batch_size"] = new PyInt(batchSize);
            options["epochs"] = new PyInt(epochs);
            if (!progress)
            {
                options["verbose"] = new PyInt(0);
            }

            history = Keep(model!.InvokeMethod("fit", new[] { trainImages!, trainLabels! }, options));
        }

        public History LastHistory()
        {
            PyObject logs = history!.GetAttr("history");
            return new History(Numbers(logs[History.LossKey]), Numbers(logs[History.AccuracyKey]));
        }

        public string IdentityJson(string dataset, string initialWeights, bool deep) =>
            harness.IdentityJson(dataset, trainImages!, trainLabels!, model!, initialWeights, deep);

        public string DeviceJson(bool deep) => harness.DeviceJson(model!, deep);

        public string CgroupJson() => harness.CgroupJson();

        public string VersionsJson() =>
            harness.VersionsJson(Harness.NameAndVersion("pythonnet", typeof(PythonEngine)));

        public string SpecSha256(string variable) => Harness.Sha256OfVariable(variable);

        public void FlushOutput() => Harness.FlushOutput();

        private static PyObject NewLayer(PyObject layers, Layer layer)
        {
            if (layer.IsFlatten)
            {
                return layers.InvokeMethod("Flatten");
            }

            var options = new PyDict();
            options["activation"] = new PyString(layer.Activation);
            return layers.InvokeMethod("Dense", new PyObject[] { new PyInt(layer.Units) }, options);
        }

        private static double[] Numbers(PyObject list)
        {
            var numbers = new double[list.Length()];
            for (int index = 0; index < numbers.Length; index++)
            {
                numbers[index] = list[index].As<double>();
            }

            return numbers;
        }

        private PyObject Scaled(PyObject imagesAndLabels, double scale)
        {
            PyObject raw = Keep(imagesAndLabels[0]);
            return Keep(raw.InvokeMethod("__truediv__", new PyFloat(scale)));
        }

        private PyObject Keep(PyObject value)
        {
            kept.Add(value);
            return value;
        }
    }
}
