"""ResNet-18 and MobileNet-v2 in PyTorch, and the same through ONNX Runtime and OpenVINO where they are installed."""
import os
import tempfile

from training_rows import channels_last, residual_block, training_step


def resnet18(torch):
    nn, Block = torch.nn, residual_block(torch)
    widths = [64, 64, 128, 256, 512]
    blocks = [
        block for stage in range(1, 5) for block in (
            Block(widths[stage - 1], widths[stage], 1 if stage == 1 else 2),
            Block(widths[stage], widths[stage], 1))]
    return nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


def mobilenet(torch):
    nn = torch.nn

    def convolution(inputs, outputs, size, stride=1, groups=1):
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, size, stride, (size - 1) // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs), nn.ReLU6())

    class InvertedResidual(nn.Module):
        def __init__(self, inputs, outputs, stride, expansion):
            super().__init__()
            hidden = inputs * expansion
            layers = [] if expansion == 1 else [convolution(inputs, hidden, 1)]
            layers += [
                convolution(hidden, hidden, 3, stride, hidden),
                nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
            self.conv = nn.Sequential(*layers)
            self.is_residual = stride == 1 and inputs == outputs

        def forward(self, x):
            return x + self.conv(x) if self.is_residual else self.conv(x)

    layers, inputs = [convolution(3, 32, 3, 2)], 32
    for expansion, outputs, count, stride in [
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
            (6, 160, 3, 2), (6, 320, 1, 1)]:
        for index in range(count):
            layers.append(
                InvertedResidual(inputs, outputs, stride if index == 0 else 1, expansion))
            inputs = outputs
    return nn.Sequential(
        *layers, convolution(inputs, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(1280, 1000))


def network(torch, name):
    """The network of a row, or None where the row is another."""
    make = {"resnet18": resnet18, "mobilenet": mobilenet}.get(name.split(".")[0])
    return make(torch) if make else None


def network_row(torch, name, shape):
    """Body and source of a row; PyTorch evaluates and trains with its images channels last."""
    model = network(torch, name)
    if model is None:
        return None
    model = model.to(memory_format=torch.channels_last)
    x = channels_last(torch, torch.randn(shape), True)
    if ".step." in name:
        labels = torch.randint(0, 1000, (shape[0],))
        return training_step(
            torch, model, x, labels=labels, is_narrow=name.endswith(".bfloat16"))
    model.eval()

    def body():
        with torch.no_grad():
            return model(x)

    return body, x


def peers(torch, name, shape, threads):
    """Name with version, body and source of every other engine that runs the row."""
    model = network(torch, name)
    if model is None or ".step." in name:
        return []
    engines = [engine for engine in (onnx_runtime, openvino) if engine(None, threads)]
    if not engines:
        return []
    x = torch.randn(shape)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.onnx")
        torch.onnx.export(model.eval(), (x,), path, dynamo=True, verbose=False)
        return [(*engine(path, threads)(x.numpy()), x) for engine in engines]


def onnx_runtime(path, threads):
    try:
        import onnxruntime
    except ImportError:
        return None
    if path is None:
        return True
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()[0].name
    return lambda x: (
        f"ONNX Runtime {onnxruntime.__version__}", lambda: session.run(None, {inputs: x}))


def openvino(path, threads):
    try:
        import openvino as engine
    except ImportError:
        return None
    if path is None:
        return True
    settings = {
        "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32"}
    compiled = engine.Core().compile_model(path, "CPU", settings)
    version = engine.__version__.split("-")[0]
    return lambda x: (f"OpenVINO {version}", lambda: compiled(x))
